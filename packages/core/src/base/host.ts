// Host names, in the form that is sent over the wire.
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { checkString, rangeError, typeError } from './check.js';

const WANTED = 'a host name or an address';

/** The longest host name, in bytes (RFC 1035). */
const MAX_LENGTH = 255;

/** Characters that no host name has. `domainToASCII` would cut the name off at some of them. */
const FORBIDDEN = /[\p{Cc}\s#%/:<>?@[\\\]^|]/u;

/**
 * Checks a host and returns it in the form that is sent over the wire: an IPv6 address without the brackets that a URL
 * puts around it, and a name that is not ASCII as A-labels (`xn--…`). Any other host stays as it is.
 * @param option The name of the option, for the message.
 * @throws TypeError for something that is not a string, an empty one, or a name that has no A-labels.
 */
export function checkHost(option: string, host: string): string {
  checkString(option, host, WANTED);
  const inner = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : '';
  if (isIPv6(inner)) return inner;
  if (/^\p{ASCII}*$/u.test(host)) return host;
  const ascii = FORBIDDEN.test(host) ? '' : domainToASCII(host);
  if (ascii === '') throw typeError(option, WANTED, host);
  return ascii;
}

/**
 * Checks a host, in the form of {@link checkHost}, that another program will resolve: it becomes a part of a message, and
 * must not be able to end that part.
 * @throws TypeError for characters that no host name has, and for a zone, which means something on this host only.
 * RangeError for more than 255 bytes.
 */
export function checkHostForPeer(option: string, host: string): void {
  if (host.length > MAX_LENGTH) throw rangeError(option, `a host name of at most ${MAX_LENGTH} bytes`, host);
  const isAddress = isIPv6(host) && !host.includes('%');
  if (!isAddress && FORBIDDEN.test(host)) throw typeError(option, WANTED, host);
}
