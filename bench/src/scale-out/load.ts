// The clients of the measured chat, on raw net: what they do for a while, and what they count.
import { once } from 'node:events';
import net from 'node:net';

/** How many dots a line has. */
const DOTS = 63;
const DOT = '.'.charCodeAt(0);

/** What one load has done. */
export interface Work {
  /** How many connections, deliveries or round trips there were. */
  readonly amount: number;
  /** In seconds. */
  readonly seconds: number;
  /** How long each one took, in milliseconds, where that was measured. */
  readonly times?: readonly number[];
}

/** Connects, waits for the greeting and ends the connection, again and again, with 32 clients at a time. */
export async function connections(port: number, milliseconds: number): Promise<Work> {
  const start = performance.now();
  let amount = 0;
  const client = async () => {
    while (performance.now() - start < milliseconds) {
      const socket = net.connect(port, '127.0.0.1').resume();
      socket.end();
      await once(socket, 'close');
      if (socket.bytesRead === 0) throw new Error('A client was not greeted');
      amount++;
    }
  };
  await Promise.all(Array.from({ length: 32 }, client));
  return { amount, seconds: (performance.now() - start) / 1000 };
}

/** One client says lines of 64 bytes, some 64 of them unheard at a time, and a hundred clients hear each of them. */
export async function deliveries(port: number, milliseconds: number): Promise<Work> {
  const clients = await Promise.all(Array.from({ length: 100 }, (_, index) => enter(port, `client${index}`)));
  const speaker = clients[0] as net.Socket;
  const ready = clients.map((client) => hears(client, 'client0: go\n'));
  speaker.write('go\n');
  await Promise.all(ready);

  const line = `${'.'.repeat(DOTS)}\n`;
  const start = performance.now();
  let said = 0;
  let dots = 0;
  const say = (count: number) => {
    said += count;
    speaker.write(line.repeat(count));
  };
  await new Promise<void>((resolve) => {
    const receive = (bytes: Buffer) => {
      // Not lines: those of clients that come and go have no dots.
      for (const byte of bytes) if (byte === DOT) dots++;
      const heard = dots / DOTS;
      const isLate = performance.now() - start > milliseconds;
      if (!isLate && said - heard / clients.length <= 32) say(32);
      if (isLate && heard === said * clients.length) resolve();
    };
    for (const client of clients) client.on('data', receive);
    say(64);
  });
  const seconds = (performance.now() - start) / 1000;
  for (const client of clients) client.destroy();
  return { amount: said * clients.length, seconds };
}

/** One client says a line, and the next one, in another process if there are two, hears it, again and again. */
export async function roundTrips(port: number, milliseconds: number): Promise<Work> {
  const speaker = await enter(port, 'speaker');
  const listener = await enter(port, 'listener');
  const times: number[] = [];
  const start = performance.now();
  while (performance.now() - start < milliseconds) {
    const before = performance.now();
    speaker.write('hello\n');
    await once(listener, 'data');
    times.push(performance.now() - before);
  }
  for (const client of [speaker, listener]) client.destroy();
  return { amount: times.length, seconds: (performance.now() - start) / 1000, times };
}

/** Connects, and says a name. */
async function enter(port: number, name: string): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(`${name}\n`);
  await hears(socket, `* ${name} is here\n`);
  return socket;
}

async function hears(socket: net.Socket, expected: string): Promise<void> {
  let text = '';
  while (!text.includes(expected)) {
    const [bytes] = await once(socket, 'data');
    text += bytes;
  }
}
