// httpConnect(): connections through an HTTP proxy, by the method CONNECT (RFC 9110, section 9.3.6).
import { checkObject, checkOptions, checkString, typeError } from '../base/check.js';
import { formatAddress } from '../base/endpoint.js';
import type { Connector, DialTarget } from '../dial/connector.js';
import type { Reader } from '../reader/reader.js';
import type { Socket } from '../socket.js';
import { endedEarly, ProxyDial, Refusal } from './proxy-dial.js';
import { type ProxyAddress, proxyAt } from './proxy-socket.js';

/** Options of {@link httpConnect}. */
export interface HttpConnectOptions {
  /** The name of the user, without a colon. It needs a password (Basic, RFC 7617). @defaultValue none */
  readonly username?: string | undefined;
  /** It is sent in plain text, unless the proxy is behind TLS. @defaultValue none */
  readonly password?: string | undefined;
  /** More header fields of the request, such as `{ 'User-Agent': 'me' }`. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How long the head of the answer may be, in characters. */
const MAX_HEAD = 64 * 1024;

/**
 * Connects through an HTTP proxy. The proxy resolves names.
 *
 * @param proxy Where the proxy is: the options of `connect()`, or a function that makes a socket, for a proxy behind TLS.
 * @param options A login, and more header fields.
 * @returns The option `via` of `connect()`, also of `@rxsock/tls`: the certificate is then checked against the target.
 * @throws At the call: TypeError or RangeError for an option that is not valid.
 * @throws As a notification of the socket: {@link ConnectError} `ERR_PROXY_AUTH` for the status 407 or 401,
 * `ERR_PROXY_REFUSED` for any other one that is not 2xx, `ERR_PROXY_PROTOCOL` if the answer is not HTTP, or the code of
 * what the connection to the proxy failed with. Its message says which proxy it was, and its status.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 * @example
 * ```ts
 * import { httpConnect } from '@rxsock/core/proxy';
 * import { connect } from '@rxsock/core';
 *
 * const via = httpConnect({ host: 'proxy.example.com', port: 3128 }, { username: 'me', password: 'secret' });
 * connect({ host: 'example.com', port: 443, via }).subscribe(console.log);
 * ```
 */
export function httpConnect(proxy: ProxyAddress, options: HttpConnectOptions = {}): Connector {
  checkOptions(options, "{ username: 'me', password: 'secret' }");
  const headers = headersOf(options);
  const at = proxyAt(proxy, 'HTTP');
  return {
    name: at.name,
    dial: (target, handlers) =>
      new ProxyDial(at, (socket, bytes, to) => shakeHands(socket, bytes, to, at.name, headers), target, handlers),
  };
}

/** The header fields of the request as they are sent. */
function headersOf({ username, password, headers = {} }: HttpConnectOptions): string {
  checkObject('headers', headers, "an object of strings, such as { 'User-Agent': 'me' }");
  const fields = Object.entries(headers);
  for (const [name, value] of fields) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
      throw typeError('headers', 'an object whose keys are names of fields', name);
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw typeError(`headers[${JSON.stringify(name)}]`, 'a string without line breaks', value);
    }
  }
  if (username !== undefined || password !== undefined) fields.push(['Proxy-Authorization', basic(username, password)]);
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

function basic(username: unknown, password: unknown): string {
  checkString('username', username);
  checkString('password', password);
  if (`${username}`.includes(':')) throw typeError('username', 'a string without a colon', username);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function shakeHands(
  socket: Socket,
  bytes: Reader,
  target: DialTarget,
  name: string,
  headers: string,
): Promise<void> {
  const authority = formatAddress(target.host, target.port);
  socket.next(Buffer.from(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${headers}\r\n`, 'latin1'));
  let length = 0;
  const readLine = async () => {
    const line = await bytes.readLine();
    if (line === undefined) throw endedEarly(name);
    length += line.length;
    if (length > MAX_HEAD)
      throw new Refusal(`${name} sent a head of more than ${MAX_HEAD} bytes`, 'ERR_PROXY_PROTOCOL');
    return line;
  };
  let first: string;
  let status: string | undefined;
  do {
    first = await readLine();
    status = /^HTTP\/1\.\d (\d{3})(?: |$)/.exec(first)?.[1];
    if (status === undefined) throw new Refusal(`${name} does not speak HTTP/1.1`, 'ERR_PROXY_PROTOCOL');
    while ((await readLine()) !== '');
    // An interim answer: the final one follows (RFC 9110, section 15.2).
  } while (/^1(?!01)/.test(status));
  if (status.startsWith('2')) return;
  // Some proxies answer a wrong password with 401.
  const code = ['401', '407'].includes(status) ? 'ERR_PROXY_AUTH' : 'ERR_PROXY_REFUSED';
  throw new Refusal(`${name} refused the connection: ${first.slice('HTTP/1.1 '.length)}`, code);
}
