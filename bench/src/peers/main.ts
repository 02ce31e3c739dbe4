// Runs one peer. It listens, or dials on request, and reports its count when its connection is closed. It uses `net`
// with large buffers, so that it is faster than what is measured.
import net from 'node:net';
import type { PeerMessage, PeerOptions } from '../peer.js';
import { blast } from './blast.js';
import { echo } from './echo.js';
import { open } from './open.js';
import { ping } from './ping.js';
import type { Role } from './role.js';
import { sink } from './sink.js';

const options: PeerOptions = JSON.parse(process.argv[2] ?? '');
// The last two open their connections themselves.
const role: Role = { blast, sink, echo, ping, cycle: echo, idle: echo }[options.role];

const report = (message: PeerMessage) => process.send?.(message);

function handleConnection(socket: net.Socket): () => number {
  const count = role(socket, options);
  socket.setNoDelay();
  socket.on('error', (error) => console.error(`The connection of the ${options.role} peer failed: ${error.message}`));
  socket.on('close', () => report({ count: count() }));
  return count;
}

const server = net.createServer({ allowHalfOpen: true }, handleConnection);
server.listen(0, '127.0.0.1', () => report({ port: (server.address() as net.AddressInfo).port }));

process.on('message', ({ dial: port }: { dial: number }) => {
  if (options.role === 'cycle' || options.role === 'idle') {
    void open(port, options.amount, options.role === 'idle').then((count) => report({ count }));
    return;
  }
  // One buffer for all reads. Node's default, a new buffer for each read, costs more than twice as much, and the peer
  // must not be the bottleneck. Node offers `onread` only for connections that it dials.
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  const callback = (length: number): boolean => socket.emit('data', buffer.subarray(0, length)) || true;
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread: { buffer, callback } });
  handleConnection(socket);
});
process.on('disconnect', () => process.exit());
