// What the looks at a socket find out together.
import { expect, test } from 'vitest';
import { type InspectedSocket, SocketRecord } from '../src/socket-record.js';

/** A socket whose holds and bytes the test sets. */
const fake = {
  id: 1,
  name: 'fake',
  type: 'tcp',
  readyState: 'open',
  writableLength: 0,
  bytesRead: 0,
  bytesWritten: 0,
  holders: [] as { reason: string; since: number; stack: undefined }[],
  get holds() {
    return this.holders.map(({ reason }) => reason);
  },
};

test('a hold that only one look has seen is no entry, one that two have seen has its beginning and its end', () => {
  const record = new SocketRecord(fake satisfies InspectedSocket, 'client');
  const texts = () => record.timeline.map(({ text }) => text);
  record.sample(0.25);
  fake.holders = [{ reason: 'short', since: 1000, stack: undefined }];
  record.sample(0.25);
  fake.holders = [{ reason: 'long', since: 2000, stack: undefined }];
  record.sample(0.25);
  expect(texts()).toEqual(['open']);
  for (const _ of [1, 2]) record.sample(0.25);
  expect(texts()).toEqual(['open', 'held by long']);
  expect(record.timeline.at(-1)?.time).toBe(2000);
  fake.holders = [];
  for (const _ of [1, 2]) record.sample(0.25);
  expect(texts()).toEqual(['open', 'held by long', 'released']);
});

test('a consumer that goes on in the next turn is not a holder', () => {
  const record = new SocketRecord(fake, 'client');
  fake.holders = [{ reason: 'the next turn', since: 1000, stack: undefined }];
  record.sample(0.25);
  expect(record.row).toMatchObject({ holder: '', heldSince: 0 });
});

test('rates are the bytes since the last look, and 0 at the first one', () => {
  const record = new SocketRecord(fake, 'client');
  fake.bytesRead = 1000;
  record.sample(Number.POSITIVE_INFINITY);
  expect(record.readRate).toBe(0);
  fake.bytesRead = 1500;
  record.sample(0.25);
  expect(record.readRate).toBe(2000);
});

test('a timeline has 50 entries at most', () => {
  const record = new SocketRecord(fake, 'client');
  for (let index = 0; index < 60; index++) record.note(`event ${index}`);
  expect(record.timeline).toHaveLength(50);
  expect(record.timeline[0]?.text).toBe('event 10');
});
