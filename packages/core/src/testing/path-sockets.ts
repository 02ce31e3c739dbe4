// Sockets and servers over UNIX paths, for faultyProxy(). The package @rxsock/unix, which has more, depends on core.
import net from 'node:net';
import type { PathEndpoint } from '../base/endpoint.js';
import { Connection } from '../engine/connection.js';
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import { Server } from '../server/server.js';
import { resolveServerOptions } from '../server/server-options.js';
import { Socket } from '../socket.js';

const UNNAMED: PathEndpoint = { path: '' };

/** Makes a connection to a path. It dials at the first subscription. */
export function connectToPath(path: string, options: SocketOptions): Socket {
  const transport = {
    type: 'unix',
    target: path,
    readyEvent: 'connect',
    open: () => new net.Socket({ allowHalfOpen: true }).connect({ path }),
    endpoints: () => ({ local: UNNAMED, remote: { path } }),
  } as const;
  return new Socket(new Connection(transport, resolveSocketOptions(options), { connectTimeout: 0 }));
}

/** Makes a server on a path. It listens at the first subscription, and sets no `claimTimeout`. */
export function listenOnPath(path: string, options: SocketOptions): Server<PathEndpoint> {
  const { limits } = resolveServerOptions({ ...options, claimTimeout: 0 });
  const transport = {
    type: 'unix',
    target: path,
    acceptEvent: 'connection',
    open: () => net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen({ path }),
    addressOf: () => ({ path }),
    endpoints: () => ({ local: { path }, remote: UNNAMED }),
  } as const;
  return new Server<PathEndpoint>(transport, limits);
}
