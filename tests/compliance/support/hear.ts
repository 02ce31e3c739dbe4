// What a subscriber of a socket hears, as a story that is the same for every transport.
import { data, type Socket, type SocketError, type SocketEvent } from '@rxsock/core';
import { lastValueFrom, toArray } from 'rxjs';

export interface Heard {
  /** The events but those of opening, `data` once for any number of chunks; then `complete`, or the error's name. */
  readonly story: readonly string[];
  /** All bytes that came. */
  readonly bytes: Buffer;
  readonly error: SocketError | undefined;
  readonly over: boolean;
  /** When it is over. Never rejects. */
  readonly ended: Promise<Heard>;
  leave(): void;
}

const OPENING: ReadonlySet<string> = new Set([
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'secureConnect',
]);

/** Subscribes to all events: a reader. */
export function hear(socket: Socket, also: (event: SocketEvent) => void = () => {}): Heard {
  const story: string[] = [];
  const chunks: Buffer[] = [];
  let error: SocketError | undefined;
  let over = false;
  let resolve: (heard: Heard) => void;
  const ended = new Promise<Heard>((settle) => {
    resolve = settle;
  });
  const end = (how: string) => {
    story.push(how);
    over = true;
    resolve(heard);
  };
  const tell = (event: SocketEvent) => {
    if (event.type === 'data') chunks.push(event.data);
    if (!OPENING.has(event.type) && !(event.type === 'data' && story.at(-1) === 'data')) story.push(event.type);
    also(event);
  };
  const heard: Heard = {
    story,
    get bytes() {
      return Buffer.concat(chunks);
    },
    get error() {
      return error;
    },
    get over() {
      return over;
    },
    ended,
    leave: () => subscription.unsubscribe(),
  };
  const subscription = socket.subscribe({
    next: tell,
    error: (failure: SocketError) => {
      error = failure;
      end(failure.name);
    },
    complete: () => end('complete'),
  });
  return heard;
}

/** All bytes up to the peer's FIN. */
export async function readAll(socket: Socket): Promise<Buffer> {
  return Buffer.concat(await lastValueFrom(socket.pipe(data(), toArray())));
}
