// Host names, in the form that is sent over the wire.
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { checkString, typeError } from './check.js';

const WANTED = 'a host name or an address';

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
