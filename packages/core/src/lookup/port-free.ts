// isPortFree(): whether a server could listen on a port now.

import net from 'node:net';
import { checkOptions, checkPort } from '../base/check.js';
import { formatAddress } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';
import { checkHost } from '../base/host.js';

/** Options of {@link isPortFree}. */
export interface PortFreeOptions {
  /** The address to try to listen on. @defaultValue `'127.0.0.1'`, as for `listen` */
  readonly host?: string | undefined;
}

/**
 * Tests whether a server could listen on a TCP port: it listens there for a moment and closes.
 *
 * Another program may take the port right after this test. To get a port for sure, call `listen` and handle
 * `EADDRINUSE`, or let the system choose a free port with `port: 0`.
 *
 * @param port The port, from 1 to 65535.
 * @returns Resolves to `false` if the port is in use (`EADDRINUSE`), and to `true` if listening succeeded.
 * @throws At the call: TypeError or RangeError if `port` or `host` is not valid.
 * @throws As a rejection: {@link SocketError} with Node's code if listening fails for another reason: `EACCES` for a
 * port that needs more rights, `EADDRNOTAVAIL` if this machine does not have the address, …
 * @see https://nodejs.org/api/net.html#serverlistenoptions-callback
 *
 * @example
 * ```ts
 * import { isPortFree } from '@rxsock/core/lookup';
 *
 * if (!(await isPortFree(8080))) console.log('something listens on 8080');
 * ```
 */
export function isPortFree(port: number, options: PortFreeOptions = {}): Promise<boolean> {
  checkOptions(options, '{ host }');
  const { host = '127.0.0.1' } = options;
  checkPort('port', port, 1);
  const address = checkHost('host', host);
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => connection.destroy());
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') return resolve(false);
      const message = `Cannot listen on ${formatAddress(address, port)}: ${cause.message}`;
      reject(new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause }));
    });
    // Exclusive, because a port that another worker of the cluster listens on is not free.
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
