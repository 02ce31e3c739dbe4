// When the stream of a connection may pass on to another owner: to TLS, or to another process.
import type { SocketError } from '../base/errors.js';
import { type Scene, upgradeError } from './connection-errors.js';
import type { WriteSide } from './write-side.js';

/** What decides it. */
interface Passing {
  readonly readyState: string;
  readonly hasReader: boolean;
  readonly writeSide: Pick<WriteSide, 'state' | 'pending' | 'flush'>;
  readonly opening: { readonly scene: Scene };
}

/** Flushes, and throws if something else is still to be done. */
export function checkPassable({ readyState, hasReader, writeSide, opening }: Passing): void {
  const refuse = (why: string, code: string) => upgradeError(why, code, opening.scene);
  if (readyState !== 'open') throw refuse(`it is ${readyState}, not open`, 'ERR_SOCKET_NOT_OPEN');
  if (writeSide.state !== 'open') throw refuse('complete() was called', 'ERR_SOCKET_NOT_OPEN');
  if (hasReader)
    throw refuse('it still has a reader: let the reader leave, and upgrade in the next turn', 'ERR_READER_EXISTS');
  writeSide.flush();
  if (writeSide.pending > 0) throw refuse('bytes wait to be written: await write() first', 'ERR_WRITES_PENDING');
}

/** The new owner would never see these bytes. */
export function unreadBytesError({ opening }: Pick<Passing, 'opening'>): SocketError {
  return upgradeError('it has received bytes that nobody has read', 'ERR_PLAINTEXT_LEFT', opening.scene);
}
