// One subscriber of a socket, by itself: what it receives of a chunk, and where the bytes end that it gives back.
import { Subject } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { SubscriberEntry, type SubscriptionType } from '../../src/engine/subscriber-entry.js';
import { Subscribers } from '../../src/engine/subscribers.js';
import { FlowSubscriber } from '../../src/flow/flow-subscriber.js';

function entryOf(type: SubscriptionType = 'bytes') {
  const received = new Subject<never>();
  const { log } = record(received);
  const owner = { subscriberLeft: vi.fn() };
  const subscriber = new FlowSubscriber<never>(undefined, { next: (value) => received.next(value) });
  return { entry: new SubscriberEntry(owner, subscriber, type), owner, subscriber, log };
}

test('of a chunk that it has received in part, it receives the rest', () => {
  const { entry, log } = entryOf();
  entry.deliver(Buffer.from('cdef'), 2);
  entry.deliver(Buffer.from('cd'), 2);
  entry.deliver(Buffer.from('efgh'), 4);
  expect(log).toEqual(['cdef', 'gh']);
  expect([5, 8, 9].map((position) => entry.hasReceived(position))).toEqual([true, true, false]);
});

test('the bytes that it gives back end where those begin that it gave back before', () => {
  const { entry } = entryOf();
  expect(entry.noteUnread(3)).toBe(Number.NEGATIVE_INFINITY);
  const { entry: other } = entryOf();
  other.deliver(Buffer.from('abcdef'), 10);
  expect([other.noteUnread(2), other.noteUnread(1), other.noteUnread(3)]).toEqual([16, 14, 13]);
});

test.each<[SubscriptionType, boolean]>([
  ['events', true],
  ['bytes', true],
  ['data', true],
  ['end', false],
])('one that wants %s reads: %s', (type, reads) => {
  expect(entryOf(type).entry.reads).toBe(reads);
});

test('it leaves once', () => {
  const { entry, owner } = entryOf();
  entry.unsubscribe();
  entry.unsubscribe();
  expect(owner.subscriberLeft.mock.calls).toEqual([[entry]]);
});

test('a socket does not take the places of another one for its own', () => {
  const clock = { schedule: vi.fn(), now: () => 0 };
  const [ours, theirs] = [1, 2].map(() => new Subscribers({ subscriberLeft: () => {} }, clock)) as [
    Subscribers,
    Subscribers,
  ];
  const { subscriber } = entryOf();
  theirs.add(subscriber, 'bytes').deliver(Buffer.from('abc'), 0);
  expect(ours.noteUnread(subscriber, 1)).toBeUndefined();
  expect(theirs.noteUnread(subscriber, 1)).toBe(3);
});

test.each<SubscriptionType>(['events', 'drain'])('one of %s that leaves in a notification is gone', (type) => {
  const entries: SubscriberEntry[] = [];
  const subscribers: Subscribers = new Subscribers(
    { subscriberLeft: (entry) => subscribers.remove(entry) },
    { schedule: vi.fn(), now: () => 0 },
  );
  for (let index = 0; index < 3; index++) {
    const leave = () => entries[index]?.unsubscribe();
    entries.push(subscribers.add(new FlowSubscriber<never>(undefined, { next: leave }), type));
  }
  subscribers.emit({ type: 'drain' });
  expect(subscribers.size).toBe(0);
});
