// The entry of a TLS server: whatever bytes a client sends, the server emits one drop, and goes on.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { listen } from '@rxsock/tls';
import { cert, key } from '../certificate.js';
import type { Target } from '../target.js';

/** How often a good client tries whether the server still works. */
const GOOD_CLIENT_EVERY = 50;

async function open() {
  const server = listen({ port: 0, key, cert });
  /** How many drops there were for each port of a client, and who waits for the next one. */
  const drops = new Map<number, number>();
  let notify: () => void = () => {};
  const address = await new Promise<{ port: number }>((resolve, reject) => {
    server.subscribe({
      next(event) {
        if (event.type === 'listening') resolve(event.address as { port: number });
        if (event.type === 'connection') event.socket.error();
        if (event.type !== 'drop') return;
        const { port } = event.remote as { port: number };
        drops.set(port, (drops.get(port) ?? 0) + 1);
        notify();
      },
      error: reject,
    });
  });
  const dropOf = async (port: number) => {
    while (!drops.has(port)) await new Promise<void>((resolve) => (notify = resolve));
  };
  return { server, drops, dropOf, port: address.port };
}

let opened: ReturnType<typeof open> | undefined;
let count = 0;

export const tlsEntry: Target = {
  /** The first byte says how the client leaves, the second where its bytes are cut in two. */
  async fuzz(input) {
    opened ??= open();
    const { drops, dropOf, port } = await opened;
    const [leave = 0, cut = 0] = input;
    const bytes = input.subarray(2);
    const client = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    const closed = new Promise<void>((resolve) => client.on('error', () => {}).once('close', () => resolve()));
    client.resume();
    await once(client, 'connect');
    const { localPort } = client;
    client.write(bytes.subarray(0, cut));
    if (cut < bytes.length) setImmediate(() => client.write(bytes.subarray(cut)));
    setImmediate(() => (leave % 2 === 0 ? client.end() : client.resetAndDestroy()));
    await dropOf(localPort!);
    await closed;
    if (drops.get(localPort!) !== 1) throw new Error(`${drops.get(localPort!)} drops for one connection`);
    drops.clear();
    if (count++ % GOOD_CLIENT_EVERY === 0) await greet(port);
  },

  async close() {
    if (!opened) return;
    const { server } = await opened;
    opened = undefined;
    await server.close({ drain: 0 });
  },
};

async function greet(port: number): Promise<void> {
  const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
  await once(client, 'secureConnect');
  client.destroy();
}
