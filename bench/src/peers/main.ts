// Runs one peer: it listens, or dials when told to, and reports what it has counted when its connection is closed.
// Written on raw net with large buffers, so that it is faster than what is measured.
import net from 'node:net';
import type { PeerMessage, PeerOptions } from '../peer.js';
import { blast } from './blast.js';
import { echo } from './echo.js';
import { ping } from './ping.js';
import { sink } from './sink.js';
import type { Work } from './work.js';

const options: PeerOptions = JSON.parse(process.argv[2] ?? '');
const work: Work = { blast, sink, echo, ping }[options.role];

const tell = (message: PeerMessage) => process.send?.(message);

function attend(socket: net.Socket): () => number {
  const count = work(socket, options);
  socket.setNoDelay();
  socket.on('error', (error) => console.error(`The connection of the ${options.role} peer failed: ${error.message}`));
  socket.on('close', () => tell({ count: count() }));
  return count;
}

const server = net.createServer({ allowHalfOpen: true }, attend);
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as net.AddressInfo).port }));

process.on('message', ({ dial: port }: { dial: number }) => {
  // One buffer for all reads: Node's own way, a new one for each, costs more than twice as much, and a peer is not to be
  // the bottleneck. It is to be had for dialled connections only.
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  const callback = (length: number): boolean => socket.emit('data', buffer.subarray(0, length)) || true;
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread: { buffer, callback } });
  attend(socket);
});
process.on('disconnect', () => process.exit());
