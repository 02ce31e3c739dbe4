// socks5(): connections through a SOCKS proxy, version 5 (RFC 1928), with a password if it asks for one (RFC 1929).
// By hand, because libraries for it own the socket, its timers and its buffer: an abort or a reset would get lost.
import { isIP } from 'node:net';
import { addressBytes } from '../base/address-bytes.js';
import { checkOptions, checkString } from '../base/check.js';
import type { Connector, DialTarget } from '../dial/connector.js';
import type { Reader } from '../reader/reader.js';
import type { Socket } from '../socket.js';
import { ProxyDial, Refusal } from './proxy-dial.js';
import { type ProxyAddress, proxyAt } from './proxy-socket.js';

/** Options of {@link socks5}. */
export interface Socks5Options {
  /** The name of the user, of at most 255 bytes. It needs a password. @defaultValue none */
  readonly username?: string | undefined;
  /** Of at most 255 bytes. It is sent in plain text. @defaultValue none */
  readonly password?: string | undefined;
}

const VERSION = 5;
const NO_LOGIN = 0;
const PASSWORD = 2;

/** What a reply means (RFC 1928, section 6), and the code of the error. */
const REPLIES: Readonly<Record<number, readonly [string, string]>> = {
  1: ['general failure', 'ERR_PROXY_REFUSED'],
  2: ['not allowed by its rules', 'ERR_PROXY_REFUSED'],
  3: ['network unreachable', 'ENETUNREACH'],
  4: ['host unreachable', 'EHOSTUNREACH'],
  5: ['connection refused', 'ECONNREFUSED'],
  6: ['TTL expired', 'ETIMEDOUT'],
  7: ['command not supported', 'ERR_PROXY_REFUSED'],
  8: ['address type not supported', 'ERR_PROXY_REFUSED'],
};

/**
 * Connects through a SOCKS5 proxy. The proxy resolves names.
 *
 * @param proxy Where the proxy is: the options of `connect()`, or a function that makes a socket.
 * @param options A login, if the proxy wants one.
 * @returns The option `via` of `connect()`, also of `@rxsock/tls`: the certificate is then checked against the target.
 * @throws At the call: TypeError or RangeError for an option that is not valid.
 * @throws As a notification of the socket: {@link ConnectError} with the code of the reply (`ECONNREFUSED`,
 * `EHOSTUNREACH`, …), `ERR_PROXY_REFUSED`, `ERR_PROXY_AUTH` for a login that is refused or missing,
 * `ERR_PROXY_PROTOCOL` if it does not speak SOCKS5, or the code of what the connection to the proxy failed with. Its
 * message says which proxy it was.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1928
 * @example
 * ```ts
 * import { connect, data } from '@rxsock/core';
 * import { socks5 } from '@rxsock/core/proxy';
 *
 * const via = socks5({ host: '127.0.0.1', port: 1080 });
 * connect({ host: 'example.com', port: 13, via }).pipe(data()).subscribe(console.log);
 * ```
 */
export function socks5(proxy: ProxyAddress, options: Socks5Options = {}): Connector {
  checkOptions(options, "{ username: 'me', password: 'secret' }");
  const login = loginOf(options);
  const at = proxyAt(proxy, 'SOCKS5');
  return {
    name: at.name,
    dial: (target, handlers) =>
      new ProxyDial(at, (socket, bytes, to) => shakeHands(socket, bytes, to, at.name, login), target, handlers),
  };
}

function loginOf({ username, password }: Socks5Options): Buffer | undefined {
  if (username === undefined && password === undefined) return undefined;
  const parts = Object.entries({ username, password }).map(([name, value]) => {
    checkString(name, value);
    const bytes = Buffer.from(value as string);
    if (bytes.length > 255) throw new RangeError(`${name} must have at most 255 bytes, not ${bytes.length}`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat([Buffer.of(1), ...parts]);
}

async function shakeHands(
  socket: Socket,
  bytes: Reader,
  target: DialTarget,
  name: string,
  login: Buffer | undefined,
): Promise<void> {
  const fail = (code: string, problem: string) => new Refusal(`${name} ${problem}`, code);
  const methods = login ? [NO_LOGIN, PASSWORD] : [NO_LOGIN];
  socket.next(Buffer.of(VERSION, methods.length, ...methods));
  const [version, method] = await bytes.read(2);
  if (version !== VERSION) throw fail('ERR_PROXY_PROTOCOL', 'does not speak SOCKS5');
  if (method === PASSWORD && login) {
    socket.next(login);
    const [, status] = await bytes.read(2);
    if (status !== 0) throw fail('ERR_PROXY_AUTH', 'refused the login');
  } else if (method !== NO_LOGIN) {
    throw fail('ERR_PROXY_AUTH', login ? 'does not take a password' : 'wants a login');
  }
  socket.next(Buffer.concat([Buffer.of(VERSION, 1, 0), addressOf(target)]));
  const [replyVersion, reply = 1, , type] = await bytes.read(4);
  if (replyVersion !== VERSION) throw fail('ERR_PROXY_PROTOCOL', 'does not speak SOCKS5');
  if (reply !== 0) {
    const [words, code] = REPLIES[reply] ?? [`reply ${reply}`, 'ERR_PROXY_REFUSED'];
    throw fail(code, `refused the connection: ${words}`);
  }
  // The address from which the proxy has connected. Nobody needs it.
  if (type === 1) await bytes.read(4 + 2);
  else if (type === 4) await bytes.read(16 + 2);
  else if (type === 3) await bytes.read(((await bytes.read(1))[0] as number) + 2);
  else throw fail('ERR_PROXY_PROTOCOL', 'does not speak SOCKS5');
}

/** The target as the request has it: the type of the address, the address and the port. */
function addressOf({ host, port }: DialTarget): Buffer {
  const portBytes = Buffer.of(port >> 8, port & 0xff);
  const family = isIP(host);
  if (family > 0) return Buffer.concat([Buffer.of(family === 4 ? 1 : 4), addressBytes(host), portBytes]);
  const name = Buffer.from(host);
  return Buffer.concat([Buffer.of(3, name.length), name, portBytes]);
}
