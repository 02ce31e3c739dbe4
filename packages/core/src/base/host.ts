// Host names, in the form that is sent over the wire.
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { typeError } from './check.js';

/** Characters that no host name has. `domainToASCII` would cut the name off at some of them. */
const FORBIDDEN = /[\p{Cc}\s#%/:<>?@[\\\]^|]/u;

/**
 * Returns a host in the form that is sent over the wire: an IPv6 address without the brackets that a URL puts around
 * it, and a name that is not ASCII as A-labels (`xn--…`). Any other host stays as it is.
 * @param option The name of the option, for the message.
 * @throws TypeError for a name that has no A-labels.
 */
export function wireHost(option: string, host: string): string {
  const inner = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : '';
  if (isIPv6(inner)) return inner;
  if (/^\p{ASCII}*$/u.test(host)) return host;
  const ascii = FORBIDDEN.test(host) ? '' : domainToASCII(host);
  if (ascii === '') throw typeError(option, 'a host name or an address', host);
  return ascii;
}
