// Runs one peer. It listens, or dials on request, and reports what it has done when its connections are closed. It uses
// `net` with large buffers, so that it is faster than what is measured.
import type net from 'node:net';
import type { PeerMessage, PeerOptions } from '../peer.js';
import { type Address, connectRaw, listenRaw } from '../raw.js';
import { Times } from '../times.js';
import { blast } from './blast.js';
import { datagrams } from './datagrams.js';
import { echo } from './echo.js';
import { open } from './open.js';
import { ping } from './ping.js';
import { startRedis } from './redis.js';
import type { Role } from './role.js';
import { sink } from './sink.js';

const options: PeerOptions = JSON.parse(process.argv[2] ?? '');
const { role, amount, transport = 'tcp', connections = 1 } = options;
/** What it does with each connection. The other roles do not serve connections. */
const serving: Partial<Record<PeerOptions['role'], Role>> = { blast, sink, echo, ping };

const report = (message: PeerMessage) => process.send?.(message);

const times = new Times();
let total = 0;
let left = connections;

function serve(socket: net.Socket): void {
  const count = serving[role]?.(socket, options, times);
  if (transport === 'tcp') socket.setNoDelay();
  socket.on('error', (error) => console.error(`The connection of the ${role} peer failed: ${error.message}`));
  socket.on('close', () => {
    total += count?.() ?? 0;
    if (--left === 0) report({ count: total, ...(role === 'ping' && { p99: times.p99 }) });
  });
}

function dial(address: Address): void {
  // One buffer for all reads. Node's default, a new buffer for each read, costs more than twice as much, and the peer
  // must not be the bottleneck. Node offers `onread` only for connections that it dials, and not for TLS.
  const buffer = Buffer.allocUnsafeSlow(connections === 1 ? 1024 * 1024 : 64 * 1024);
  const callback = (length: number): boolean => socket.emit('data', buffer.subarray(0, length)) || true;
  const onread = transport === 'tls' ? {} : { onread: { buffer, callback } };
  const socket = connectRaw(transport, address, { allowHalfOpen: true, ...onread });
  serve(socket);
}

process.on('message', async ({ dial: address }: { dial: Address }) => {
  if (role === 'cycle' || role === 'idle') report({ count: await open(transport, address, amount, role === 'idle') });
  else if (role === 'datagrams') report({ count: await datagrams(address, options) });
  else for (let n = 0; n < connections; n++) dial(address);
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());

const listen = async () => (await listenRaw(transport, serve, { allowHalfOpen: true })).address;
report({ address: role === 'redis' ? await startRedis() : await listen() });
