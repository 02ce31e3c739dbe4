// isPortFree(): whether one could listen on a port now.
import net from 'node:net';
import { inspect } from 'node:util';
import { SocketError } from '../base/errors.js';

/** Options of {@link isPortFree}. */
export interface PortFreeOptions {
  /** The address to listen on. @defaultValue `'127.0.0.1'`, as for `listen` */
  readonly host?: string;
}

/**
 * Whether one could listen on a TCP port: it listens there for a moment. Somebody may take the port in the next one, so to
 * have a port, `listen` and deal with `EADDRINUSE`, or let it take any (`port: 0`).
 *
 * @throws RangeError or TypeError at the call for a port or a host that is none. As a rejection: {@link SocketError} with Node's code, where the
 * question does not arise: `EACCES` (a port for the superuser), `EADDRNOTAVAIL` (no address of this machine).
 * @see https://nodejs.org/api/net.html#serverlistenoptions-callback
 *
 * @example
 * ```ts
 * import { isPortFree } from '@rxsock/core';
 *
 * if (!(await isPortFree(8080))) console.log('something listens on 8080');
 * ```
 */
export function isPortFree(port: number, options: PortFreeOptions = {}): Promise<boolean> {
  const { host = '127.0.0.1' } = options;
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
    throw new RangeError(`port must be a whole number from 1 to 65535, not ${inspect(port)}`);
  if (typeof host !== 'string' || host === '') throw new TypeError(`host must be an address, not ${inspect(host)}`);
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => connection.destroy());
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') return resolve(false);
      const message = `Cannot listen on ${host}:${port}: ${cause.message}`;
      reject(new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause }));
    });
    // Exclusive: a port that another worker of a cluster has is not free.
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
