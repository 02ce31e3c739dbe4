// Plain Node sockets as peers, cleaned up when the test is over.
import { once } from 'node:events';
import net from 'node:net';
import { type ConnectOptions, connect, connections, type ListenOptions, listen, on, type Socket } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { onTestFinished } from 'vitest';

export interface RawServer {
  readonly port: number;
  /** The connections that it has accepted. */
  readonly peers: net.Socket[];
  /** The next connection. */
  next(): Promise<net.Socket>;
  close(): void;
}

/** A plain server. Its connections are paused, have allowHalfOpen, and their errors are ignored. */
export async function rawServer(onPeer?: (peer: net.Socket) => void): Promise<RawServer> {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const peers: net.Socket[] = [];
  server.on('connection', (peer) => {
    peers.push(peer);
    peer.on('error', () => {});
    onPeer?.(peer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    for (const peer of peers) peer.destroy();
    server.close();
  };
  onTestFinished(close);
  let seen = 0;
  const next = async () => {
    while (peers.length <= seen) await once(server, 'connection');
    return peers[seen++] as net.Socket;
  };
  return { port: (server.address() as net.AddressInfo).port, peers, next, close };
}

/** A port on which nothing listens until the test is over: it is the local port of a connection. */
export async function closedPort(): Promise<number> {
  const server = await rawServer();
  const holder = net.connect({ port: server.port, host: '127.0.0.1' });
  onTestFinished(() => void holder.destroy());
  await once(holder, 'connect');
  return holder.localPort as number;
}

/** A plain client. Its errors are ignored. */
export function rawClient(port: number, options: Partial<net.TcpNetConnectOpts> = {}): net.Socket {
  const peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...options }).on('error', () => {});
  onTestFinished(() => void peer.destroy());
  return peer;
}

/** An idle socket that is aborted when the test is over. */
export function dial(options: Partial<ConnectOptions> & Pick<ConnectOptions, 'port'>): Socket {
  const socket = connect({ host: '127.0.0.1', ...options });
  onTestFinished(() => socket.error());
  return socket;
}

/** A dialled, open socket without subscribers, and its peer. */
export async function pair(options: Partial<ConnectOptions> = {}): Promise<{ socket: Socket; peer: net.Socket }> {
  const server = await rawServer();
  const socket = dial({ keepOpen: true, port: server.port, ...options });
  const [peer] = await Promise.all([server.next(), opened(socket)]);
  return { socket, peer };
}

/** A plain client, and the socket that a server accepted for it. */
export async function accepted(options: ListenOptions = {}): Promise<{ socket: Socket; peer: net.Socket }> {
  const server = listen(options);
  const first = firstValueFrom(server.pipe(connections()));
  const port = await new Promise<number>((resolve) => {
    const subscription = server.subscribe((event) => {
      if (event.type === 'listening') resolve(event.address.port);
    });
    onTestFinished(() => subscription.unsubscribe());
  });
  const peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  const socket = await first;
  onTestFinished(() => {
    socket.error();
    peer.destroy();
  });
  return { socket, peer };
}

/** Resolves when the socket is open. Dials, and reads nothing. */
export async function opened(socket: Socket): Promise<void> {
  await firstValueFrom(socket.pipe(on('connect')));
}

/** Reads a plain socket to its end. Returns the bytes, and whether it ended by `end` or by an error's code. */
export async function drainRaw(peer: net.Socket): Promise<{ bytes: Buffer; end: string }> {
  const chunks: Buffer[] = [];
  const { errored } = peer as { readonly errored?: NodeJS.ErrnoException | null };
  if (errored) return { bytes: Buffer.alloc(0), end: errored.code ?? 'error' };
  const end = await new Promise<string>((resolve) => {
    peer.on('data', (chunk: Buffer) => chunks.push(chunk));
    peer.once('end', () => resolve('end'));
    peer.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    peer.once('close', () => resolve('close'));
    peer.resume();
  });
  return { bytes: Buffer.concat(chunks), end };
}

/** Connects and reads to the end. Returns the text, and how it ended. */
export async function readAnswer(port: number): Promise<string> {
  const { bytes, end } = await drainRaw(net.connect({ port, host: '127.0.0.1' }));
  return `${bytes} ${end}`;
}
