// Node's own TLS as the peer, and the four ways to create a TLS socket of ours.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import * as tcp from '@rxsock/core';
import { type ClientOptions, connect, type ListenOptions, listen, upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { onTestFinished } from 'vitest';
import { type Recording, record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { ca, localhost, type Version, versions } from './identities.js';
import { type Direction, type Wire, wireTo } from './wire.js';

export interface NodeServer {
  readonly port: number;
  readonly server: tls.Server;
  /** The TCP connections that it has accepted. */
  readonly raw: net.Socket[];
  /** The next connection whose handshake is over. */
  next(): Promise<tls.TLSSocket>;
}

/** A Node server for localhost, with allowHalfOpen. The errors of its connections are ignored. */
export async function nodeServer(options: tls.TlsOptions = {}): Promise<NodeServer> {
  const server = tls.createServer({ ...localhost, allowHalfOpen: true, ...options });
  const raw: net.Socket[] = [];
  const secured: tls.TLSSocket[] = [];
  server.on('connection', (stream: net.Socket) => raw.push(stream.on('error', () => {})));
  server.on('secureConnection', (peer) => secured.push(peer.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const stream of raw) stream.destroy();
    server.close();
  });
  let seen = 0;
  const next = async () => {
    while (secured.length <= seen) await once(server, 'secureConnection');
    return secured[seen++] as tls.TLSSocket;
  };
  return { port: (server.address() as net.AddressInfo).port, server, raw, next };
}

/** A Node client that trusts our authority, with allowHalfOpen. Its errors are ignored. */
export function nodeClient(port: number, options: tls.ConnectionOptions = {}): tls.TLSSocket {
  const address = { port, host: '127.0.0.1', allowHalfOpen: true };
  const all: tls.ConnectionOptions = { ca, servername: 'localhost', ...options };
  const peer = tls.connect(options.socket ? all : { ...address, ...all });
  onTestFinished(() => void peer.destroy());
  return peer.on('error', () => {});
}

/** A socket of ours that trusts our authority. It is aborted when the test is over. */
export function dial(options: tcp.ConnectOptions & ClientOptions): tcp.Socket {
  const socket = connect({ host: '127.0.0.1', ...(options.context ? {} : { ca }), ...options });
  onTestFinished(() => socket.error());
  return socket;
}

/** Starts a server of ours and waits until it listens. */
export async function started<S extends tcp.Server<tcp.InternetEndpoint>>(
  server: S,
): Promise<{ readonly server: S; readonly port: number; readonly events: Recording<tcp.ServerEvent> }> {
  const events = record<tcp.ServerEvent>(server);
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(tcp.on('listening')));
  return { server, port: address.port, events };
}

/** A server of ours for localhost. */
export const serverOf = (options: Partial<ListenOptions> = {}) => started(listen({ ...localhost, ...options }));

/** The next socket that a server of ours accepts. */
export function nextOf(server: tcp.Server): Promise<tcp.Socket> {
  const next = firstValueFrom(server.pipe(tcp.connections()));
  next.catch(() => {});
  return next;
}

/** The next drop of a server of ours. */
export function dropOf(server: tcp.Server<tcp.InternetEndpoint>): Promise<tcp.DropEvent> {
  const next = firstValueFrom(server.pipe(tcp.on('drop')));
  next.catch(() => {});
  return next;
}

/** Resolves when the handshake of a socket is over. Dials, and reads nothing. */
export function secured(socket: tcp.Socket): Promise<tcp.SecureConnectEvent> {
  return firstValueFrom(socket.pipe(tcp.on('secureConnect')));
}

/** The ways to create a socket of ours. */
export const origins = ['dialled', 'accepted', 'upgraded as a client', 'upgraded as a server'] as const;
export type Origin = (typeof origins)[number];

/** All of them, in both versions. */
export const everyCase = origins.flatMap((origin) => versions.map((version) => [origin, version] as const));

/** An open socket of ours that nobody reads, its Node peer, and the wire between them. */
export interface Pair {
  readonly socket: tcp.Socket;
  readonly peer: tls.TLSSocket;
  readonly toUs: Direction;
  readonly toPeer: Direction;
}

/** Makes a pair. */
export async function pair(origin: Origin, version: Version, options: tcp.SocketOptions = {}): Promise<Pair> {
  const only = { minVersion: version, maxVersion: version } as const;
  const ours = { keepOpen: true, ...only, ...options };
  const made = await makers[origin](only, ours);
  onTestFinished(() => made.socket.error());
  await secured(made.socket);
  // Node emits the event before the handshake is fully over.
  await turns(2);
  return made;
}

type Only = { readonly minVersion: Version; readonly maxVersion: Version };

const makers: Record<Origin, (only: Only, ours: tcp.SocketOptions & Only) => Promise<Pair>> = {
  async dialled(only, ours) {
    const server = await nodeServer(only);
    const wire = await wireTo(server.port);
    const socket = dial({ port: wire.port, ...ours });
    const [peer] = await Promise.all([server.next(), secured(socket)]);
    return { socket, peer, ...asClient(wire) };
  },

  async accepted(only, ours) {
    const { server, port } = await serverOf(ours);
    const wire = await wireTo(port);
    const peer = nodeClient(wire.port, only);
    const [socket] = await Promise.all([nextOf(server), once(peer, 'secureConnect')]);
    return { socket, peer, ...asServer(wire) };
  },

  async 'upgraded as a client'(only, ours) {
    const { plain, raw, wire } = await plainPair('dialled');
    const server = tls.createServer({ ...localhost, ...only, allowHalfOpen: true });
    const socket = upgrade(plain, { ...ours, ca, servername: 'localhost' });
    server.emit('connection', raw);
    const [[peer]] = await Promise.all([once(server, 'secureConnection'), secured(socket)]);
    return { socket, peer: (peer as tls.TLSSocket).on('error', () => {}), ...asClient(wire) };
  },

  async 'upgraded as a server'(only, ours) {
    const { plain, raw, wire } = await plainPair('accepted');
    const socket = upgrade(plain, { ...ours, ...localhost, isServer: true });
    const peer = nodeClient(0, { ...only, socket: raw });
    peer.allowHalfOpen = true;
    await Promise.all([secured(socket), once(peer, 'secureConnect')]);
    return { socket, peer, ...asServer(wire) };
  },
};

const asClient = ({ toClient, toServer }: Wire) => ({ toUs: toClient, toPeer: toServer });
const asServer = ({ toClient, toServer }: Wire) => ({ toUs: toServer, toPeer: toClient });

/** Before STARTTLS: a plain socket of ours, its Node peer, and the wire between them. */
export interface PlainPair {
  readonly plain: tcp.Socket;
  readonly raw: net.Socket;
  readonly wire: Wire;
  /** The server of an accepted socket. */
  readonly server: tcp.Server<tcp.InternetEndpoint> | undefined;
}

/** Makes a plain pair. Our socket is either dialled or accepted. */
export async function plainPair(ours: 'dialled' | 'accepted', options: tcp.SocketOptions = {}): Promise<PlainPair> {
  if (ours === 'accepted') {
    const { server, port } = await started(tcp.listen({ keepOpen: true, ...options }));
    const wire = await wireTo(port);
    const raw = net.connect({ port: wire.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
    onTestFinished(() => void raw.destroy());
    const plain = await nextOf(server);
    onTestFinished(() => plain.error());
    return { plain, raw, wire, server };
  }
  const listener = net.createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const wire = await wireTo((listener.address() as net.AddressInfo).port);
  const plain = tcp.connect({ host: '127.0.0.1', port: wire.port, keepOpen: true, ...options });
  onTestFinished(() => plain.error());
  const [[raw]] = await Promise.all([once(listener, 'connection'), firstValueFrom(plain.pipe(tcp.on('connect')))]);
  (raw as net.Socket).on('error', () => {});
  onTestFinished(() => void raw.destroy());
  return { plain, raw, wire, server: undefined };
}

/** Reads a Node stream to its end. Returns the text, and `end` or the code of the error. */
export async function drained(peer: net.Socket): Promise<{ readonly text: string; readonly end: string }> {
  let text = '';
  const end = await new Promise<string>((resolve) => {
    peer.on('data', (bytes: Buffer) => {
      text += bytes;
    });
    peer.once('end', () => resolve('end'));
    peer.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    peer.once('close', () => resolve('close'));
  });
  return { text, end };
}
