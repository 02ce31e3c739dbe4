// Records the events of a socket as a story that is the same for every transport.
import { data, type Socket, type SocketError, type SocketEvent } from '@rxsock/core';
import { lastValueFrom, toArray } from 'rxjs';

export interface Story {
  /**
   * The events except those of opening, `data` once for any number of chunks, then `complete` or the name of the error.
   */
  readonly story: readonly string[];
  /** All received bytes. */
  readonly bytes: Buffer;
  readonly error: SocketError | undefined;
  readonly over: boolean;
  /** Resolves when it has ended. Never rejects. */
  readonly ended: Promise<Story>;
  leave(): void;
}

const OPENING: ReadonlySet<string> = new Set([
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'secureConnect',
]);

/** Subscribes to all events, as a reader. */
export function recordStory(socket: Socket, also: (event: SocketEvent) => void = () => {}): Story {
  const story: string[] = [];
  const chunks: Buffer[] = [];
  let error: SocketError | undefined;
  let isOver = false;
  let resolve: (heard: Story) => void;
  const ended = new Promise<Story>((settle) => {
    resolve = settle;
  });
  const end = (how: string) => {
    story.push(how);
    isOver = true;
    resolve(heard);
  };
  const record = (event: SocketEvent) => {
    if (event.type === 'data') chunks.push(event.data);
    if (!OPENING.has(event.type) && !(event.type === 'data' && story.at(-1) === 'data')) story.push(event.type);
    also(event);
  };
  const heard: Story = {
    story,
    get bytes() {
      return Buffer.concat(chunks);
    },
    get error() {
      return error;
    },
    get over() {
      return isOver;
    },
    ended,
    leave: () => subscription.unsubscribe(),
  };
  const subscription = socket.subscribe({
    next: record,
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
