// A server with a slow consumer, in a process of its own so that its memory can be measured. It takes values when its
// parent tells it to (`{ take }`), or by itself, so many a second (the first argument), and answers each message with
// what it has read and what it needs.
import { connections, data, lines, listen, mapWithBackpressure, on } from '@rxsock/core';
import { filter, map, Observable } from 'rxjs';

const waiting = [];
let allowed = 0;
let taken = 0;
let socket;

const go = () => {
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
    go();
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
  go();
  process.send(status());
});
process.on('disconnect', () => process.exit());

const rate = Number(process.argv[2] ?? 0);
if (rate > 0) {
  setInterval(() => {
    allowed = Math.min(allowed + rate / 100, rate);
    go();
  }, 10);
}
