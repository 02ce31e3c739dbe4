// inspect(): serves the page over HTTP. The server is one of node:http, so that the page does not watch itself.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SocketError } from '@rxsock/core';
import { checkHost, checkOptions, checkPort, formatAddress } from '@rxsock/core/internal';
import { type Asset, readAssets } from './assets.js';
import { EventStreams } from './event-streams.js';
import { Gate } from './gate.js';
import { Recorder } from './recorder.js';
import { viewOf } from './view.js';

/** The options of {@link inspect}. */
export interface InspectOptions {
  /** The port of the page. 0 is any free port. @defaultValue 0 */
  readonly port?: number | undefined;
  /**
   * The address of the page. Loopback, unless you choose another one: then everybody who can reach it and knows the
   * token sees the page, and everybody on the way sees the token, because the page comes over plain HTTP.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string | undefined;
  /**
   * The secret part of the address of the page: 16 to 256 letters, digits, `-` and `_`.
   * @defaultValue 24 random bytes, a new token at every call
   */
  readonly token?: string | undefined;
}

/** The page that {@link inspect} serves. */
export interface Inspector {
  /** The address of the page, with its token: who has it can see the page. */
  readonly url: string;
  /** Ends the page, and follows the sockets no longer. Resolves when the port is free. */
  close(): Promise<void>;
}

/** The page loads nothing from anywhere else, is in no frame, and leaves its address nowhere. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** More connections than this at once are closed: each page needs one, and a few while it loads. */
const MOST_CONNECTIONS = 64;

/**
 * Serves a page that shows the sockets and servers of this process: their states, rates, queues, who holds them and
 * since when, and how the last ones have ended. It never shows bytes of a connection.
 *
 * Whoever knows `url` can see the page, and can change nothing. While no page is open, the inspector only notes what
 * the diagnostics channels publish. While one is open, the sockets are looked at four times a second, or less often:
 * looking takes at most 1 % of the time. The inspector does not keep the process alive.
 *
 * **Half-close**: shows as a state, `readOnly` or `writeOnly`.
 *
 * **Backpressure**: shows as the names of the holders. The inspector itself holds nothing.
 *
 * @param options Where the page is, and its token.
 * @returns Resolves when the page can be opened.
 * @throws At the call: TypeError for an option of the wrong type, an empty `host`, or a token with other characters or
 * of another length; RangeError for a port out of range.
 * @throws As a rejection: {@link SocketError} if the port is in use (`EADDRINUSE`), or another code of the system.
 * @see https://nodejs.org/api/diagnostics_channel.html
 * @example
 * ```ts
 * import { inspect } from '@rxsock/inspector';
 *
 * const inspector = await inspect({ port: 9230 });
 * console.log(inspector.url); // http://127.0.0.1:9230/WDc…/
 * ```
 */
export function inspect(options: InspectOptions = {}): Promise<Inspector> {
  checkOptions(options, '{ port: 9230 }');
  const { port = 0, host = '127.0.0.1', token = randomBytes(24).toString('base64url') } = options;
  checkPort('port', port);
  const address = checkHost('host', host);
  if (typeof token !== 'string' || !/^[\w-]{16,256}$/.test(token))
    // The value is not repeated: a message may end up in a log.
    throw new TypeError('token must be a string of 16 to 256 letters, digits, - and _');
  return start(port, address, token);
}

async function start(port: number, host: string, token: string): Promise<Inspector> {
  const assets = await readAssets();
  const recorder = new Recorder();
  const streams = new EventStreams(recorder);
  const gate = new Gate(host, token);
  const server = createServer((request, response) => answer(request, response, gate, assets, streams));
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket) => socket.unref());
  const close = async () => {
    streams.stop();
    recorder.stop();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  try {
    await listen(server, port, host);
  } catch (error) {
    recorder.stop();
    throw error;
  }
  return { url: `http://${reachable(server, host)}/${token}/`, close };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not only once: a later error, as of a process without free descriptors, must not end the process.
    server.on('error', (cause: NodeJS.ErrnoException) => {
      const message = `The inspector cannot listen on ${formatAddress(host, port)}: ${cause.message}`;
      reject(new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause }));
    });
    server.listen({ port, host }, resolve);
    server.unref();
  });
}

/** The host and port for the address of the page. One that means all addresses is reached as `localhost`. */
function reachable(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return formatAddress(['0.0.0.0', '::'].includes(host) ? 'localhost' : host, port);
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  gate: Gate,
  assets: ReadonlyMap<string, Asset>,
  streams: EventStreams,
): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const wish = gate.check(request);
  if ('status' in wish) return end(response, wish.status, wish.text);
  const { name, query } = wish;
  const asset = assets.get(name);
  if (asset) {
    response.writeHead(200, { 'Content-Type': asset.type, 'Content-Length': asset.content.length });
    response.end(request.method === 'HEAD' ? undefined : asset.content);
  } else if (name === 'events' && request.method === 'GET') {
    streams.add(response, viewOf(query));
  } else {
    end(response, 404, 'There is no such page');
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', ...(status === 405 ? { Allow: 'GET, HEAD' } : {}) };
  response.writeHead(status, headers).end(`${text}\n`);
}
