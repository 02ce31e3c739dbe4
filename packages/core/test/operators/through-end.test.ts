// through() with `end: false`: who completes the write side.
import { once } from 'node:events';
import net from 'node:net';
import { connect, type Socket, through } from '@rxsock/core';
import { lastValueFrom, map, of } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

/** A peer that answers the first bytes and ends its side. It records whether the client's FIN arrives. */
async function answering(): Promise<{ port: number; fin: Promise<unknown> }> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fin = new Promise((resolve) => {
    server.once('connection', (peer) => {
      opened.push(() => peer.destroy());
      peer.once('data', (bytes) => peer.end(`you said ${bytes}`));
      peer.once('end', resolve);
    });
  });
  opened.push(() => server.close());
  return { port: (server.address() as net.AddressInfo).port, fin };
}

const ask = (target: Socket | (() => Socket)) =>
  lastValueFrom(of('hello').pipe(through(target, { end: false }), map(String)));

describe('through(…, { end: false })', () => {
  test("completes the write side at the peer's FIN, so that nothing stays half-open", async () => {
    const { port, fin } = await answering();
    const socket = connect({ port, host: '127.0.0.1', halfOpenTimeout: 0 });
    const closed = lastValueFrom(socket);

    expect(await ask(socket)).toBe('you said hello');
    await fin;
    expect(await closed).toMatchObject({ type: 'close', report: { by: 'peer', how: 'fin', bytesUnsent: 0 } });
  });

  test('closes a socket that no other code refers to', async () => {
    const { port, fin } = await answering();

    expect(await ask(() => connect({ port, host: '127.0.0.1', halfOpenTimeout: 0 }))).toBe('you said hello');
    await fin;
  });

  test('leaves the write side open with allowHalfOpen', async () => {
    const { port } = await answering();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });

    expect(await ask(socket)).toBe('you said hello');
    expect(socket.readyState).toBe('writeOnly');
    const report = await socket.close();
    expect(report).toMatchObject({ by: 'peer', how: 'fin' });
  });
});
