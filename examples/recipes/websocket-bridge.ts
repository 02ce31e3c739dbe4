// For pages in a browser: each WebSocket gets the lines of a TCP feed. While a page is behind, the feed waits.
import { connect, data, lines, mapWithBackpressure } from '@rxsock/core';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env.PORT ?? 8080) });
server.on('listening', () => console.log(server.address()));

server.on('connection', (page) => {
  const feed = connect({ port: Number(process.env.FEED_PORT ?? 7000) });
  const send = (line: string) =>
    new Promise<void>((resolve, reject) => page.send(line, (error) => (error ? reject(error) : resolve())));
  const subscription = feed.pipe(data(), lines(), mapWithBackpressure(send)).subscribe({
    complete: () => page.close(),
    error: () => page.close(1011),
  });
  page.on('error', () => page.terminate());
  page.on('close', () => subscription.unsubscribe());
});
