// Shared by the tests with other programs: servers and handlers of ours.
import { type DropEvent, data, type Endpoint, type HandlerResult, type Server, type Socket, serve } from '@rxsock/core';
import { delayWhen, map, toArray } from 'rxjs';
import { onTestFinished } from 'vitest';
import { turns } from '../support/turns.js';

/** A server of ours that listens. */
export interface Served<A extends Endpoint> {
  readonly address: A;
  /** The errors of its connections. */
  readonly errors: unknown[];
  /** The connections that it did not accept. */
  readonly drops: DropEvent[];
}

/** Serves until the test is over. */
export async function serving<A extends Endpoint>(
  server: Server<A>,
  handler: (socket: Socket) => HandlerResult,
): Promise<Served<A>> {
  const errors: unknown[] = [];
  const drops: DropEvent[] = [];
  onTestFinished(() => server.close({ drain: 0 }));
  const address = await new Promise<A>((resolve, reject) => {
    server.pipe(serve(handler, { onError: () => {} })).subscribe({
      next: (event) => {
        if (event.type === 'listening') resolve(event.address);
        if (event.type === 'connectionError') errors.push(event.error);
        if (event.type === 'drop') drops.push(event);
      },
      error: reject,
    });
  });
  return { address, errors, drops };
}

/** Sends everything that the peer has sent, reversed, some turns after its end. */
export const reverse = (socket: Socket) =>
  socket.pipe(
    data(),
    toArray(),
    delayWhen(() => turns()),
    map((chunks) => Buffer.concat(chunks).reverse()),
  );
