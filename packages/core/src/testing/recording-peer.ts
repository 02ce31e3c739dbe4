// recordingPeer() and recordingClient(): plain peers for the tests of a client, and of a server.
import { once } from 'node:events';
import net from 'node:net';
import { checkOneOf, checkOptions, checkPort, checkString } from '../base/check.js';
import { checkHost } from '../base/host.js';
import { RecordedConnection } from './recorded-connection.js';
import { type TemporaryPath, temporaryPath } from './temporary-path.js';

/** Options of {@link recordingPeer}. */
export interface RecordingPeerOptions {
  /** Whether the peer listens on a free loopback port, or on a UNIX socket. @defaultValue `'tcp'` */
  readonly transport?: 'tcp' | 'unix' | undefined;
}

/** A listening peer: see {@link recordingPeer}. */
export interface RecordingPeer extends AsyncDisposable {
  /** The address to connect to; empty for a UNIX socket. */
  readonly host: string;
  /** The port to connect to; 0 for a UNIX socket. */
  readonly port: number;
  /** The path to connect to, in a folder that only this user can enter; empty for TCP. */
  readonly path: string;
  /** All connections, in the order in which they came. */
  readonly connections: readonly RecordedConnection[];
  /**
   * Resolves with the next connection: at the first call with the first one.
   *
   * @throws As a rejection: Error if the peer is closed before.
   */
  next(): Promise<RecordedConnection>;
  /** Stops listening and resets all connections. Resolves when everything is closed, and the folder is removed. */
  close(): Promise<void>;
}

/**
 * Starts a peer for the tests of a client. It listens, records what it receives and how each connection ends, and does
 * only what you tell it. It is made of plain Node sockets, without the engine of this library.
 *
 * **Half-close**: a FIN is recorded, and not answered before you call `finish()`.
 *
 * **Backpressure**: it reads everything at once, unless you call `pause()`.
 *
 * @returns Resolves when the peer listens.
 * @throws At the call: TypeError for an invalid option.
 * @throws As a rejection: Node's error if the peer cannot listen.
 *
 * @example
 * ```ts
 * import { connect } from '@rxsock/core';
 * import { recordingPeer } from '@rxsock/core/testing';
 *
 * const peer = await recordingPeer();
 * const socket = connect({ port: peer.port });
 * socket.next('hello');
 * socket.complete();
 * const connection = await peer.next();
 * console.log(await connection.ended(), String(connection.received)); // fin hello
 * connection.send('half an ans');
 * connection.reset();
 * await peer.close();
 * ```
 */
export function recordingPeer(options: RecordingPeerOptions = {}): Promise<RecordingPeer> {
  checkOptions(options, "{ transport: 'unix' }");
  const { transport = 'tcp' } = options;
  checkOneOf('transport', transport, ['tcp', 'unix']);
  return startPeer(transport);
}

async function startPeer(transport: 'tcp' | 'unix'): Promise<RecordingPeer> {
  const place = transport === 'unix' ? await temporaryPath() : undefined;
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  const connections: RecordedConnection[] = [];
  const streams = new Set<net.Socket>();
  server.on('connection', (stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    connections.push(new RecordedConnection(stream));
  });
  await listening(server, place);
  const address = place ? { address: '', port: 0 } : (server.address() as net.AddressInfo);
  let taken = 0;
  const next = async () => {
    const index = taken++;
    while (!connections[index]) await nextConnection(server);
    return connections[index];
  };
  const close = async () => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const connection of connections) if (connection.end !== 'local') connection.reset();
    await closed;
    await place?.remove();
  };
  return {
    host: address.address,
    port: address.port,
    path: place?.path ?? '',
    connections,
    next,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listening(server: net.Server, place: TemporaryPath | undefined): Promise<void> {
  server.listen(place ? { path: place.path } : { port: 0, host: '127.0.0.1' });
  try {
    await once(server, 'listening');
  } catch (error) {
    await place?.remove();
    throw error;
  }
}

function nextConnection(server: net.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => {
      server.off('connection', connected);
      reject(new Error('the peer was closed before the next connection came'));
    };
    const connected = () => {
      server.off('close', closed);
      resolve();
    };
    if (!server.listening) return closed();
    server.once('connection', connected).once('close', closed);
  });
}

/** Options of {@link recordingClient}: a port and its host, or the path of a UNIX socket. */
export type RecordingClientOptions =
  | { readonly host?: string | undefined; readonly port: number; readonly path?: undefined }
  | { readonly path: string; readonly host?: undefined; readonly port?: undefined };

/**
 * Dials a server, as a peer for its tests: like {@link recordingPeer}, for the other side.
 *
 * **Half-close**: the server's FIN is recorded, and not answered before you call `finish()`.
 *
 * **Backpressure**: it reads everything at once, unless you call `pause()`.
 *
 * @returns Resolves when the connection is open. Call `reset()` when the test is over.
 * @throws At the call: TypeError or RangeError for an option with an invalid value.
 * @throws As a rejection: Node's error if the server cannot be reached.
 *
 * @example
 * ```ts
 * import { recordingClient } from '@rxsock/core/testing';
 *
 * const client = await recordingClient({ port: 7 });
 * client.send('GET / HT'); // and never the rest
 * console.log(await client.ended()); // what the server does about it
 * ```
 */
export function recordingClient(options: RecordingClientOptions): Promise<RecordedConnection> {
  checkOptions(options, '{ port: 7 }');
  const { host = '127.0.0.1', port, path } = options;
  if (path === undefined) {
    checkPort('port', port, 1, 'an integer from 1 to 65535, unless there is a path');
  } else {
    checkString('path', path);
  }
  if (path !== undefined && (options.host !== undefined || port !== undefined))
    throw new TypeError('path cannot be used together with host and port: leave one of them out');
  return dial(path === undefined ? { host: checkHost('host', host), port: port as number } : { path });
}

async function dial(target: net.NetConnectOpts): Promise<RecordedConnection> {
  const stream = new net.Socket({ allowHalfOpen: true });
  stream.pause();
  stream.connect(target);
  await once(stream, 'connect');
  return new RecordedConnection(stream);
}
