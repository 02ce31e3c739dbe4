// Directories, servers and clients of a test, removed when it is over.
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { on, type PathEndpoint, type Server, type ServerEvent } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { onTestFinished } from 'vitest';
import { type Recording, record } from './record.js';

/** A new directory, and the path of a socket in it. */
export function temporaryPath(name = 's'): { readonly folder: string; readonly path: string } {
  const folder = fs.mkdtempSync(join(tmpdir(), 'rxsock-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return { folder, path: join(folder, name) };
}

/** Starts a server, and waits until it listens. */
export async function started(server: Server<PathEndpoint>): Promise<Recording<ServerEvent>> {
  const recording = record<ServerEvent>(server);
  onTestFinished(() => server.close({ drain: 0 }));
  await firstValueFrom(server.pipe(on('listening')));
  return recording;
}

/** A plain client. Its errors are ignored. */
export function client(path: string): net.Socket {
  const peer = net.connect({ path, allowHalfOpen: true }).on('error', () => {});
  onTestFinished(() => void peer.destroy());
  return peer;
}

/** A plain Node server. */
export async function plainServer(path: string, onPeer = (_peer: net.Socket) => {}): Promise<net.Server> {
  const peers: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (peer) => {
    peers.push(peer.on('error', () => {}));
    onPeer(peer);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const peer of peers) peer.destroy();
    server.close();
  });
  return server;
}

/** Leaves at `path` the file of a server that was killed. */
export async function leaveStale(path: string): Promise<void> {
  const server = await plainServer(`${path}~`);
  fs.linkSync(`${path}~`, path);
  await new Promise((resolve) => server.close(resolve));
}

/** What a client receives from the server at `path`, or the code of its error. */
export async function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const peer = net.connect({ path });
    peer.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'));
    peer.on('data', (bytes) => {
      answer += bytes;
    });
    peer.on('end', () => resolve(answer));
  });
}

/** The permissions of a file. */
export const modeOf = (path: string): string => (fs.lstatSync(path).mode & 0o777).toString(8);

/** Acts as a user with fewer permissions, if this user is the superuser. */
export async function asUnprivilegedUser<T>(run: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}
