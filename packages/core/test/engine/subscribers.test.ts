// Subscribers that come and leave while others are notified: nobody is left out, and nobody is notified too early.
import { on, type SocketEvent } from '@rxsock/core';
import { catchError, EMPTY, type Observable, type Subscription } from 'rxjs';
import { expect, test } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** More than the kernel takes at once: `drain` follows. */
const LARGE = Buffer.alloc(16 * 1024 * 1024);

/** Prepares subscribers, and lets the socket drain. */
async function drain(kind: string, prepare: (events: Observable<SocketEvent>) => void): Promise<void> {
  const { socket, peer } = await pair({ keepOpen: true });
  peer.resume();
  // The test ends with an abort, which concerns nobody.
  const events: Observable<SocketEvent> = kind === 'watchers' ? socket.pipe(on('drain')) : socket;
  prepare(events.pipe(catchError(() => EMPTY)));
  const drained = new Promise((resolve) => socket.pipe(on('drain')).subscribe(resolve));
  expect(socket.next(LARGE)).toBe(false);
  await drained;
}

test.each(['watchers', 'readers'])('%s that come during a notification are not part of it', async (kind) => {
  const seen: string[] = [];
  await drain(kind, (events) => {
    const note = (name: string) => (event: SocketEvent) => {
      if (event.type === 'drain') seen.push(name);
    };
    const first = note('first');
    events.subscribe((event) => {
      first(event);
      if (event.type === 'drain') events.subscribe(note('late'));
    });
    events.subscribe(note('second'));
  });
  expect(seen).toEqual(['first', 'second']);
});

test.each(['watchers', 'readers'])('%s that leave during a notification do not hide the others', async (kind) => {
  const seen: number[] = [];
  await drain(kind, (events) => {
    const subscriptions: Subscription[] = [0, 1, 2, 3].map((index) =>
      events.subscribe(({ type }) => {
        if (type !== 'drain') return;
        seen.push(index);
        // Leaves in the loop over the first list, and then in that over a copy.
        subscriptions[index]?.unsubscribe();
      }),
    );
  });
  expect(seen).toEqual([0, 1, 2, 3]);
});

test('subscribers come and leave in any order, one after the other', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  const seen: number[] = [];
  const subscriptions = [0, 1, 2, 3, 4].map((index) => socket.pipe(on('end')).subscribe(() => seen.push(index)));
  for (const index of [3, 0]) subscriptions[index]?.unsubscribe();
  subscriptions.push(socket.pipe(on('end')).subscribe(() => seen.push(5)));
  subscriptions[4]?.unsubscribe();
  const ended = new Promise((resolve) => socket.pipe(on('end')).subscribe(resolve));
  record(socket);
  peer.end();
  await ended;
  expect(seen).toEqual([1, 2, 5]);
});

test('hundreds of subscribers come and leave, also during a notification, and each is notified in its order', async () => {
  const seen: number[] = [];
  await drain('readers', (events) => {
    const subscriptions = Array.from({ length: 300 }, (_, index) =>
      events.subscribe(({ type }) => {
        if (type !== 'drain') return;
        seen.push(index);
        // Every third one takes its successor with it, which is still to come, and brings one that comes too late.
        if (index % 3 > 0) return;
        subscriptions[index + 1]?.unsubscribe();
        events.subscribe((event) => event.type === 'drain' && seen.push(-1));
      }),
    );
    for (let index = 0; index < 300; index += 10) subscriptions[index]?.unsubscribe();
  });
  const left = (index: number) => index % 10 === 0 || (index % 3 === 1 && (index - 1) % 10 !== 0);
  expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => index).filter((index) => !left(index)));
});
