// A server with a slow consumer, in its own process so that its memory can be measured. It takes values when its parent
// process says so (`{ take }`), or at a fixed rate a second (the first argument). It answers each message with its
// status.
import { connections, data, lines, listen, mapWithBackpressure, on } from '@rxsock/core';
import { filter, map, Observable } from 'rxjs';

const waiting = [];
let allowed = 0;
let taken = 0;
let socket;

const takeAllowed = () => {
  while (allowed > 0 && waiting.length > 0) {
    allowed--;
    taken++;
    waiting.shift()();
  }
};

const consume = (line) =>
  new Observable((subscriber) => {
    waiting.push(() => {
      subscriber.next(line.length);
      subscriber.complete();
    });
    takeAllowed();
  });

const server = listen({ host: '127.0.0.1' });
server.pipe(on('listening')).subscribe(({ address }) => process.send({ port: address.port, ...status() }));
server.pipe(connections()).subscribe((accepted) => {
  socket = accepted;
  const numbers = socket.pipe(
    data(),
    lines(),
    map((line) => line.toUpperCase()),
    filter((line) => line !== ''),
    mapWithBackpressure(consume),
  );
  numbers.subscribe({ error: () => {} });
});

function status() {
  return { taken, resident: process.memoryUsage.rss(), bytesRead: socket?.bytesRead ?? 0, holds: socket?.holds ?? [] };
}

process.on('message', ({ take = 0 }) => {
  allowed += take;
  takeAllowed();
  process.send(status());
});
process.on('disconnect', () => process.exit());

const rate = Number(process.argv[2] ?? 0);
if (rate > 0) {
  setInterval(() => {
    allowed = Math.min(allowed + rate / 100, rate);
    takeAllowed();
  }, 10);
}
