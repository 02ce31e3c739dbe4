// How much of a long write the peer has taken: at once only what the kernel of this side has taken, by a look what the
// kernel of the peer has acknowledged.
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../../../../tests/support/certificate.js';
import { PeerProgress } from '../../src/engine/peer-progress.js';

const SIZE = 24 << 20;

/** A connection whose peer does not read yet. */
async function connection(server: net.Server, event: string, connect: (port: number) => net.Socket) {
  // Without a host: over IPv6, which accepts IPv4 as well, where the machine has it.
  server.listen(0);
  await once(server, 'listening');
  const peer = connect((server.address() as net.AddressInfo).port);
  const [socket] = (await once(server, event)) as [net.Socket];
  onTestFinished(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  return { socket, peer, meter: new PeerProgress(() => socket) };
}

const overTcp = () => connection(net.createServer(), 'connection', (port) => net.connect(port, '127.0.0.1'));
const dialled = async () => {
  const { socket: peer, peer: socket } = await overTcp();
  return { socket, peer, meter: new PeerProgress(() => socket) };
};
const overTls = () =>
  connection(tls.createServer({ key, cert }), 'secureConnection', (port) =>
    tls.connect({ port, host: '127.0.0.1', ca: cert, servername: 'localhost' }),
  );

describe.each([
  ['TCP, accepted', overTcp],
  ['TCP, dialled', dialled],
  ['TLS', overTls],
])('over %s', (_name, open) => {
  test('the meter grows in the middle of a write', async () => {
    const { socket, peer, meter } = await open();
    const atFirst = meter.read();
    let written = false;
    socket.write(Buffer.alloc(SIZE), () => {
      written = true;
    });
    await expect.poll(() => meter.read()).toBeGreaterThan(atFirst);
    const before = meter.read();
    await once(peer.resume(), 'data');
    await expect.poll(() => meter.read()).toBeGreaterThan(before);
    expect(written).toBe(false);
  });

  test('a look sees what the peer has not acknowledged, where the system shows it, and sees when it has', async () => {
    const { socket, peer, meter } = await open();
    socket.write(Buffer.alloc(SIZE));
    await expect.poll(() => meter.read()).toBeGreaterThan(1_000_000);
    const look = await meter.look();
    expect(look?.unfinished).toBe(true);
    expect(Number(look?.progress) < meter.read()).toBe(process.platform === 'linux');
    peer.resume();
    await expect.poll(() => meter.look()).toMatchObject({ unfinished: false });
    expect(meter.read()).toBeGreaterThanOrEqual(SIZE);
    expect((await meter.look())?.progress).toBe(meter.read());
  });
});

test('nothing is unfinished on a destroyed stream', async () => {
  const { socket } = await overTcp();
  socket.destroy();
  const meter = new PeerProgress(() => socket);
  expect(meter.read()).toBe(0);
  expect(await meter.look()).toEqual({ progress: 0, unfinished: false });
});

test.each([[new Duplex()], [undefined]])('there is nothing to look at without a kernel', (stream) => {
  const meter = new PeerProgress(() => stream);
  expect(meter.read()).toBe(0);
  expect(meter.look()).toBe(undefined);
});
