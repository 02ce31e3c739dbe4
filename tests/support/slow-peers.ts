// Peers that read slowly, or stop reading. They are not Node programs. The socket has megabytes more to write than the
// kernels of both sides take.
import { connections, on, type Server, type Socket } from '@rxsock/core';
import { filter, firstValueFrom, ignoreElements, lastValueFrom } from 'rxjs';
import { expect, type TestContext } from 'vitest';
import { type Peer, startPeer } from './peers/index.js';

const SIZE = 8 << 20;

/** A kind of peer of `read.pl`, a server for it, and what the server does with the socket. */
export interface SlowPeerCase {
  readonly kind: 'tcp' | 'tls' | 'unix';
  readonly server: Server;
  /** Writes the bytes, and brings the socket into the state in which the time limit runs. */
  use(socket: Socket, bytes: Buffer): void;
  /** Whether the peer sends FIN before it reads. */
  readonly fin?: boolean;
}

/** How many bytes the peer reads before it stops, how many per second, and how many the server writes. */
interface Reading {
  readonly limit: number;
  readonly rate: number;
  readonly size?: number;
}

/** Writes the bytes and leaves the socket: `lingerTimeout` runs. */
export function writeAndLeave(socket: Socket, bytes: Buffer): void {
  const subscription = socket.subscribe({ error: () => {} });
  socket.next(bytes);
  subscription.unsubscribe();
}

/** Accepts one peer, and uses its socket. */
async function accept(
  { kind, server, use, fin = false }: SlowPeerCase,
  { limit, rate, size = SIZE }: Reading,
  { onTestFinished }: TestContext,
): Promise<{ socket: Socket; peer: Peer }> {
  onTestFinished(() => server.close({ drain: 0 }));
  const accepted = firstValueFrom(server.pipe(connections()));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const where = 'path' in address ? String(address.path) : address.port;
  const peer = startPeer('read.pl', kind, where, limit, rate, ...(fin ? ['fin'] : []));
  onTestFinished(() => peer.kill());
  const socket = await accepted;
  use(socket, Buffer.alloc(size));
  return { socket, peer };
}

/** Expects that the peer is not given up before it has read `limit` bytes. */
export async function expectPatience(slow: SlowPeerCase, reading: Reading, context: TestContext): Promise<void> {
  const { peer } = await accept(slow, reading, context);
  expect(await peer.line()).toBe('paused');
}

/** Resolves with the error with which a socket gives up its peer. */
export async function giveUpError(slow: SlowPeerCase, reading: Partial<Reading>, context: TestContext) {
  const { socket } = await accept(slow, { limit: SIZE, rate: 10_000_000, ...reading }, context);
  return lastValueFrom(socket.pipe(ignoreElements())).catch((error) => error);
}

/** Expects that a peer that stops reading is given up after once to twice the time limit. */
export async function expectCut(slow: SlowPeerCase, milliseconds: number, context: TestContext): Promise<void> {
  const { socket, peer } = await accept(slow, { limit: 100_000, rate: 10_000_000 }, context);
  expect(await peer.line()).toBe('paused');
  const stopped = performance.now();
  await firstValueFrom(socket.readyStates.pipe(filter((state) => state === 'closed')));
  const waited = performance.now() - stopped;
  expect(waited).toBeGreaterThan(0.8 * milliseconds);
  expect(waited).toBeLessThan(2.6 * milliseconds);
  peer.go();
  const [bytes, end] = (await peer.line()).split(' ');
  expect(Number(bytes)).toBeLessThan(SIZE);
  // A UNIX socket has no reset.
  if (slow.kind !== 'unix') expect(end).toBe('broken');
}
