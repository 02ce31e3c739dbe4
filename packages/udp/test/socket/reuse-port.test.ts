// reusePort: several sockets that receive at one port.
import { on } from '@rxsock/core';
import { bind, type DatagramSocket } from '@rxsock/udp';
import { expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { rawPeer } from '../support/peers.js';

/** Binds a socket, and records what it receives. */
async function bound(socket: DatagramSocket) {
  const { values } = record(socket.pipe(on('message')));
  onTestFinished(() => socket.error());
  const { port } = await socket.bind();
  return { port, values };
}

if (Number.parseInt(process.versions.node, 10) >= 22) {
  test('the system spreads the senders over all sockets that set it', async () => {
    const first = await bound(bind({ reusePort: true }));
    const second = await bound(bind({ port: first.port, reusePort: true }));
    for (let i = 0; i < 64; i++) await (await rawPeer()).send('x', first.port);
    await expect.poll(() => first.values.length + second.values.length).toBe(64);
    expect(first.values.length).toBeGreaterThan(0);
    expect(second.values.length).toBeGreaterThan(0);
  });

  test('a socket that does not set it has its port alone', async () => {
    const { port } = await bound(bind());
    const { error } = await record(bind({ port, reusePort: true })).ended;
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
  });
} else {
  test('is refused at the call where Node would ignore it', () => {
    const code = 'ERR_OPTION_UNSUPPORTED';
    expect(() => bind({ reusePort: true })).toThrow(expect.objectContaining({ name: 'SocketError', code }));
    expect(() => bind({ reusePort: true })).toThrow(/^reusePort needs Node 22\.12/);
  });
}
