// Options that older versions of Node ignore without a word. They are refused at the call instead.
import { SocketError } from './errors.js';

/**
 * @param option The option, for the message.
 * @param needs Which versions of Node have it, for the message.
 * @throws SocketError `ERR_OPTION_UNSUPPORTED` if this version of Node would ignore the option.
 */
export function checkSupported(option: string, isSupported: boolean, needs: string): void {
  if (isSupported) return;
  throw new SocketError(`${option} needs Node ${needs}. This is Node ${process.versions.node}: leave the option out`, {
    code: 'ERR_OPTION_UNSUPPORTED',
    phase: 'open',
  });
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Throws a SocketError unless this version of Node has `reusePort`. */
export function checkReusePortSupported(): void {
  checkSupported('reusePort', major >= 24 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12), '22.12');
}
