// Consumers that release a socket and get more at once than they asked for.
import { data, framed, linesCodec, mapWithBackpressure, reader, through } from '@rxsock/core';
import { firstValueFrom, NEVER, of, share } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';

/** A held socket that has received these chunks, and the function that releases it. */
async function holding(...chunks: string[]) {
  const { socket, peer } = await pair();
  const release = socket.hold('test');
  let sent = 0;
  for (const chunk of chunks) {
    peer.write(chunk);
    sent += chunk.length;
    await vi.waitFor(() => expect(socket.bytesRead).toBe(sent));
  }
  return { socket, release };
}

test('a consumer of through() holds the socket behind share() too', async () => {
  const { socket, peer } = await pair();
  const replies = of('request').pipe(through(socket), share());
  replies.pipe(mapWithBackpressure(() => NEVER, { highWaterMark: 1 })).subscribe({ error: () => {} });
  peer.write(Buffer.alloc(1_000_000));
  await expect.poll(() => socket.holds).toEqual(['mapWithBackpressure']);
});

test('reader() takes one chunk at a time', async () => {
  // Small chunks are joined while they wait.
  const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(600)) as [string, string, string];
  const { socket, release } = await holding(`${one}\n`, `${two}\n`, `${three}\n`);
  const seen: string[] = [];
  socket.pipe(data()).subscribe({ next: (bytes) => seen.push(bytes.toString()), error: () => {} });
  using lines = reader(socket);
  release();
  expect(seen).toEqual([]);
  expect(await lines.readLine()).toBe(one);
  expect(seen).toEqual([`${one}\n`]);
  expect(await lines.readLine()).toBe(two);
  expect(seen).toEqual([`${one}\n`, `${two}\n`]);
});

test('framed() loses no frame between two subscribers, inside a chunk or between chunks', async () => {
  const { socket, release } = await holding('one\ntwo\nthree\n', 'four\nfive\n');
  const frames = framed(socket, linesCodec());
  const first = firstValueFrom(frames);
  release();
  const names = [await first];
  for (let i = 0; i < 4; i++) names.push(await firstValueFrom(frames));
  expect(names).toEqual(['one', 'two', 'three', 'four', 'five']);
});
