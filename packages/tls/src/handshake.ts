// What the handshakes of both sides have in common.
import { checkFunction, checkTimeout, type Transport } from '@rxsock/core/internal';

/** Starts TLS on an open stream. */
export type Handshake = NonNullable<Transport['secure']>;

/** Options of a TLS handshake, on either side. */
export interface HandshakeOptions {
  /** How long the handshake may take, in milliseconds; 0 or Infinity = no limit. @defaultValue 10,000 */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Called with each line of the key log, with which tools such as Wireshark decrypt captured traffic. Everybody who
   * has these lines can read the connection. If the function throws, the process emits a warning with the code
   * `ERR_TLS_KEY_LOG`, and the connection goes on.
   * @defaultValue no key log
   */
  readonly keyLog?: ((line: Buffer) => void) | undefined;
}

/** A listener for `keylog`. What the function throws, as on a full disk, must not end the process: a peer has caused it. */
export function keyLogListener(keyLog: (line: Buffer) => void): (line: Buffer) => void {
  return (line) => {
    try {
      keyLog(line);
    } catch (error) {
      process.emitWarning(`The keyLog function failed: ${error instanceof Error ? error.stack : error}`, {
        code: 'ERR_TLS_KEY_LOG',
      });
    }
  };
}

/** Checks what both sides take, and returns `handshakeTimeout` with its default filled in. */
export function resolveHandshakeTimeout({ handshakeTimeout = 10_000, keyLog }: HandshakeOptions): number {
  checkTimeout('handshakeTimeout', handshakeTimeout);
  if (keyLog !== undefined) checkFunction('keyLog', keyLog);
  return handshakeTimeout;
}
