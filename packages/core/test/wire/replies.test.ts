// A peer sends a whole reply and closes while this side still writes. The write fails, and the whole reply is delivered
// first.
import { data, type Socket, through } from '@rxsock/core';
import { interval, map } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startPeer } from '../../../../tests/support/peers/index.js';
import { dial } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

const TRIALS = 15;
const CHUNK = Buffer.alloc(65_536);

async function replying(bytes: number, how: 'shut' | 'close'): Promise<number> {
  const peer = startPeer('reply.pl', bytes, how);
  onTestFinished(() => peer.kill());
  return Number(await peer.line());
}

/** Writes for as long as it can. */
function flood(socket: Socket): void {
  const timer = setInterval(() => {
    if (socket.readyState === 'closed') clearInterval(timer);
    else if (socket.writableLength < 1_000_000) socket.next(CHUNK);
  }, 1);
  onTestFinished(() => clearInterval(timer));
}

describe.each(['shut', 'close'] as const)('the peer replies and does %s', (how) => {
  describe.each([100, 30_000])('with %d bytes', (bytes) => {
    test.each([
      ['flowing', 0],
      ['held', 40],
    ])('%s: delivers the whole reply, then the error', async (_name, wait) => {
      const port = await replying(bytes, how);
      for (let trial = 0; trial < TRIALS; trial++) {
        const socket = dial({ port });
        const { values, log, ended } = record(socket);
        if (wait > 0) setTimeout(socket.hold('test'), wait);
        flood(socket);
        const { error } = await ended;
        const reply = values.reduce((total, event) => total + (event.type === 'data' ? event.data.length : 0), 0);
        expect(reply).toBe(bytes);
        // If the peer's FIN arrived, and our FIN went out behind all written bytes, nothing has failed.
        if (error || !log.includes('finish')) expect(error).toMatchObject({ name: 'ResetError' });
        expect(log.slice(-2)[0]).toBe('close');
        if (log.includes('end')) expect(log.indexOf('end')).toBeGreaterThan(log.lastIndexOf('data'));
      }
    });
  });
});

test('through() delivers the whole reply before it fails', async () => {
  const port = await replying(30_000, 'shut');
  for (let trial = 0; trial < TRIALS; trial++) {
    const source = interval(1).pipe(map(() => CHUNK));
    const { values, ended } = record(source.pipe(through(() => dial({ port }))));
    const { error } = await ended;
    expect(Buffer.concat(values)).toHaveLength(30_000);
    if (error) expect(error).toMatchObject({ name: 'ResetError' });
  }
});

test("write() rejects when the peer has stopped listening, and the peer's reply can still be read", async () => {
  const port = await replying(30_000, 'close');
  const socket = dial({ port, keepOpen: true });
  const release = socket.hold('later');
  const bytes = record(socket.pipe(data()));
  const failed = (async () => {
    for (;;) await socket.write(CHUNK);
  })();
  await expect(failed).rejects.toMatchObject({ name: 'ResetError' });
  expect(bytes.log).toEqual([]);
  release();
  await bytes.ended;
  expect(Buffer.concat(bytes.values)).toHaveLength(30_000);
});
