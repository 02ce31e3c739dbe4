// What decoders of one's own use of the queue: bytes in one piece, and the search in a frame that comes in parts.
import { expect, test } from 'vitest';
import { ByteQueue } from '../../src/framing/byte-queue.js';
import { cuts } from './support.js';

const SEMICOLON = 59;

/** Searches one chunk after the other, and returns the place of each semicolon in its frame, and the frames. */
function search(chunks: readonly string[]): [number, string][] {
  const queue = new ByteQueue();
  const found: [number, string][] = [];
  let searched = 0;
  for (const chunk of chunks) {
    queue.push(Buffer.from(chunk));
    for (let at = queue.indexOf(SEMICOLON, searched, 100); at >= 0; at = queue.indexOf(SEMICOLON, searched, 100)) {
      const frame = queue.buffer.toString('latin1', queue.offset, queue.offset + at + 1);
      found.push([at, frame]);
      queue.dropFrame(at + 1);
      searched = 0;
    }
    searched = queue.size;
  }
  return found;
}

test('indexOf() finds the byte in each frame, and the frame lies in one piece, however the bytes are cut', () => {
  const text = 'a;bcd;;efg;h';
  for (const chunks of cuts(text)) {
    const places = [
      [1, 'a;'],
      [3, 'bcd;'],
      [0, ';'],
      [3, 'efg;'],
    ];
    expect(search(chunks)).toEqual(places);
  }
});

test('indexOf() passes over the bytes before its start', () => {
  const whole = new ByteQueue();
  whole.push(Buffer.from(';;a;'));
  expect([0, 1, 2, 4].map((start) => whole.indexOf(SEMICOLON, start, 100))).toEqual([0, 1, 3, -1]);
  expect(whole.rest().toString()).toBe(';;a;');
  const inParts = new ByteQueue();
  inParts.push(Buffer.from(';'));
  expect(inParts.indexOf(SEMICOLON, 1, 100)).toBe(-1);
  inParts.push(Buffer.from(';a;'));
  expect([0, 1, 2].map((start) => inParts.indexOf(SEMICOLON, start, 100))).toEqual([0, 1, 3]);
});

test('mark() and restore() give back a frame, whatever was gathered in between', () => {
  const queue = new ByteQueue();
  for (const chunk of ['ab', 'cd', 'efgh']) {
    queue.push(Buffer.from(chunk));
    queue.gather(3);
  }
  const mark = queue.mark();
  expect(queue.takeFrame(1, 3, 3).toString()).toBe('bc');
  queue.restore(mark);
  expect([queue.size, queue.rest().toString()]).toEqual([8, 'abcdefgh']);
});
