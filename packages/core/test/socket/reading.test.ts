// The read side: what makes a socket read, how holds stop it, and that each byte is delivered once.
import { data, lines, on } from '@rxsock/core';
import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { accepted, dial, opened, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

const MEGABYTE = Buffer.alloc(1_000_000);
const received = ({ values }: { values: readonly Uint8Array[] }) => Buffer.concat(values).toString();

describe('readers and watchers', () => {
  test('a watcher reads nothing: received bytes stay until a reader subscribes', async () => {
    const { socket, peer } = await pair();
    const watcher = record(socket.pipe(on('end')));
    peer.end('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    expect(watcher.log).toEqual([]);
    const bytes = record(socket.pipe(data()));
    expect(await bytes.ended).toEqual({});
    expect(received(bytes)).toBe('abc');
    await watcher.ended;
    expect(watcher.log).toEqual(['end', 'complete']);
  });

  test('the peer has to wait while there are only watchers', async () => {
    const { socket, peer } = await pair({ highWaterMark: 1000 });
    record(socket.pipe(on('close')));
    for (let i = 0; i < 20; i++) peer.write(MEGABYTE);
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
    await turns();
    expect(socket.bytesRead).toBeLessThanOrEqual(1000 + 65_536);
    expect(peer.writableLength).toBeGreaterThan(0);
  });

  test('an accepted socket reads nothing before it is subscribed', async () => {
    const { socket, peer } = await accepted();
    peer.end('abc');
    await turns();
    expect(socket.bytesRead).toBe(0);
    const bytes = record(socket.pipe(data()));
    expect(await bytes.ended).toEqual({});
    expect(received(bytes)).toBe('abc');
  });

  test('a reader that leaves while it gets its first events loses nothing for the next', async () => {
    const { socket, peer } = await pair();
    record(socket.pipe(on('close')));
    peer.write('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    const greeted = record(socket.pipe(take(1)));
    expect(greeted.log).toEqual(['connect', 'complete']);
    const bytes = record(socket.pipe(data()));
    await expect.poll(() => received(bytes)).toBe('abc');
  });
});

describe('hold()', () => {
  test('stops reading until the last release, and names its holders', async () => {
    const { socket, peer } = await pair();
    const bytes = record(socket.pipe(data()));
    const first = socket.hold('first');
    const second = socket.hold('second');
    expect(socket.holds).toEqual(['first', 'second']);
    peer.write('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    first();
    first();
    expect(socket.holds).toEqual(['second']);
    expect(bytes.log).toEqual([]);
    second[Symbol.dispose]();
    expect(socket.holds).toEqual([]);
    expect(received(bytes)).toBe('abc');
  });

  test('reads ahead no more than the high-water mark, and then the peer waits', async () => {
    const { socket, peer } = await pair({ highWaterMark: 10_000 });
    const bytes = record(socket.pipe(data()));
    const release = socket.hold();
    for (let i = 0; i < 20; i++) peer.write(MEGABYTE);
    peer.end();
    await expect.poll(() => socket.bytesRead).toBeGreaterThanOrEqual(10_000);
    await turns();
    // The mark, and the rest of the read that passed it.
    expect(socket.bytesRead).toBeLessThan(10_000 + 65_536);
    expect(bytes.log).toEqual([]);
    release();
    expect(await bytes.ended).toEqual({});
    expect(bytes.values.reduce((total, chunk) => total + chunk.length, 0)).toBe(20_000_000);
  });

  // Otherwise the read in progress would add another 64 KiB to them.
  test('does not read ahead when bytes that were given back have reached the high-water mark', async () => {
    const { socket, peer } = await pair({ highWaterMark: 10_000 });
    const first = record(socket.pipe(data()));
    peer.write('abc');
    await expect.poll(() => received(first)).toBe('abc');
    first.subscription.unsubscribe();
    socket.unshift(Buffer.alloc(10_000, 'x'));
    peer.write('def');
    await turns();
    expect(socket.bytesRead).toBe(3);
    const second = record(socket.pipe(data()));
    await expect.poll(() => received(second)).toBe(`${'x'.repeat(10_000)}def`);
  });

  test('an imminent FIN is noticed, and emitted after the data', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket);
    const release = socket.hold();
    peer.end('abc');
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    expect(log).toEqual(['connect']);
    release();
    await ended;
    expect(log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
  });

  test('an imminent FIN with no data before it is not emitted while held', async () => {
    const { socket, peer } = await pair();
    const { log } = record(socket);
    const release = socket.hold();
    peer.end();
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    expect(log).toEqual(['connect']);
    release();
    expect(log).toEqual(['connect', 'end']);
  });

  test('an imminent reset is noticed, and emitted after the data', async () => {
    const { socket, peer } = await pair();
    const { log, values, ended } = record(socket);
    const release = socket.hold();
    peer.write('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    peer.resetAndDestroy();
    await expect.poll(() => socket.readyState).toBe('closing');
    await expect(socket.write('x')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(log).toEqual(['connect']);
    release();
    await ended;
    expect(log).toEqual(['connect', 'data', 'close', 'error:ECONNRESET']);
    expect(values[1]).toMatchObject({ data: Buffer.from('abc') });
  });

  test('from inside a chunk stops before the next one', async () => {
    const { socket, peer } = await pair();
    const hold = socket.hold();
    peer.write('a');
    await expect.poll(() => socket.bytesRead).toBe(1);
    peer.write('b');
    await expect.poll(() => socket.bytesRead).toBe(2);
    const seen: string[] = [];
    let release = () => {};
    const next = (chunk: Buffer) => {
      seen.push(chunk.toString());
      release = socket.hold();
    };
    socket.pipe(data()).subscribe({ next, error: () => {} });
    hold();
    expect(seen).toEqual(['a']);
    release();
    expect(seen).toEqual(['a', 'b']);
  });

  test('released again before dialling changes nothing', async () => {
    const server = await rawServer((peer) => peer.end('abc'));
    const socket = dial({ port: server.port });
    const release = socket.hold('early');
    const bytes = record(socket.pipe(data()));
    await opened(socket);
    await expect.poll(() => socket.bytesRead).toBe(3);
    expect(bytes.log).toEqual([]);
    release();
    expect(await bytes.ended).toEqual({});
  });

  test('our error() ends a held socket at once', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket);
    socket.hold();
    peer.write('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    socket.error(new Error('enough'));
    await ended;
    expect(log).toEqual(['connect', 'close', 'error:ERR_SOCKET_ABORTED']);
  });

  test('our error() ends a socket that is held and was reset', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket);
    socket.hold();
    peer.write('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    peer.resetAndDestroy();
    await expect.poll(() => socket.readyState).toBe('closing');
    socket.error(new Error('enough'));
    await ended;
    expect(log).toEqual(['connect', 'close', 'error:ECONNRESET']);
  });
});

describe('unshift()', () => {
  test('the next reader starts with the given bytes', async () => {
    const { socket, peer } = await pair();
    const first = record(socket.pipe(data(), take(1)));
    peer.write('abcdef');
    await first.ended;
    socket.unshift(Buffer.from('def'));
    const second = record(socket.pipe(data()));
    expect(received(second)).toBe('def');
    peer.end('ghi');
    await second.ended;
    expect(received(second)).toBe('defghi');
  });

  test('subscribers that already received the bytes do not receive them again; a new reader does', async () => {
    const { socket, peer } = await pair();
    const all = record(socket.pipe(data()));
    const first = record(socket.pipe(data(), take(1)));
    peer.write('abcdef');
    await first.ended;
    socket.unshift(Buffer.from('def'));
    const second = record(socket.pipe(data()));
    peer.end('ghi');
    await second.ended;
    expect(received(second)).toBe('defghi');
    expect(received(all)).toBe('abcdefghi');
    expect(all.log).not.toContain('');
  });

  test('after the end, new subscribers get the bytes and then the end again', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const first = record(socket);
    peer.end('abc');
    await expect.poll(() => first.log).toContain('end');
    first.subscription.unsubscribe();
    socket.unshift(Buffer.from('bc'));
    const second = record(socket.pipe(data()));
    expect(await second.ended).toEqual({});
    expect(received(second)).toBe('bc');
  });
});

describe('successive readers see each byte once', () => {
  test('lines, then bytes, are read in turn when everything arrived before the first reader', async () => {
    const { socket, peer } = await accepted();
    record(socket.pipe(on('close')));
    for (const part of ['one\n', 'two\nthr', 'ee\n', 'four']) {
      const before = socket.bytesRead;
      peer.write(part);
      await expect.poll(() => socket.bytesRead).toBe(before + part.length);
    }
    const line = record(socket.pipe(data(), lines(), take(1)));
    expect(line.log).toEqual(['one', 'complete']);
    expect(record(socket.pipe(data(), lines(), take(2))).log).toEqual(['two', 'three', 'complete']);
    expect(record(socket.pipe(data())).log).toEqual(['four']);
  });

  test('unsubscribing from outside gives back half a frame', async () => {
    const { socket, peer } = await pair();
    const line = record(socket.pipe(data(), lines()));
    peer.write('one\ntw');
    await expect.poll(() => line.log).toEqual(['one']);
    line.subscription.unsubscribe();
    const rest = record(socket.pipe(data()));
    await expect.poll(() => received(rest)).toBe('tw');
  });

  test('leaving a for-await loop gives back what it had not pulled', async () => {
    const { socket, peer } = await pair();
    peer.write('a');
    for await (const chunk of socket) {
      expect(chunk.toString()).toBe('a');
      peer.write('b');
      await expect.poll(() => socket.bytesRead).toBe(2);
      break;
    }
    const rest = record(socket.pipe(data()));
    peer.end('c');
    await rest.ended;
    expect(received(rest)).toBe('bc');
  });
});

describe('readers that leave inside the same chunk', () => {
  test.each([
    [1, 1, 'b c d'],
    [1, 2, 'b c d'],
    [2, 1, 'b c d'],
    [3, 3, 'd'],
  ])(
    'after %i and %i lines, each byte that one of them has not used is delivered once',
    async (first, second, rest) => {
      const { socket, peer } = await pair();
      peer.end('a\nb\nc\nd\n');
      const taken = (count: number) => lastValueFrom(socket.pipe(data(), lines(), take(count), toArray()));
      const [one, other] = await Promise.all([taken(first), taken(second)]);
      expect(one).toEqual(['a', 'b', 'c', 'd'].slice(0, first));
      expect(other).toEqual(['a', 'b', 'c', 'd'].slice(0, second));
      expect((await lastValueFrom(socket.pipe(data(), lines(), toArray()))).join(' ')).toBe(rest);
    },
  );
});

describe('the iterator', () => {
  test('pulls: the peer waits while nobody pulls', async () => {
    const { socket, peer } = await pair({ highWaterMark: 10_000 });
    for (let i = 0; i < 20; i++) peer.write(MEGABYTE);
    peer.end();
    let total = 0;
    for await (const chunk of socket) {
      if (total === 0) {
        await turns();
        expect(socket.bytesRead).toBeLessThan(10_000 + 3 * 65_536);
      }
      total += chunk.length;
    }
    expect(total).toBe(20_000_000);
  });

  test('throws the error of the socket, after the bytes', async () => {
    const { socket, peer } = await pair();
    peer.write('abc', () => peer.resetAndDestroy());
    const seen: string[] = [];
    await expect(async () => {
      for await (const chunk of socket) seen.push(chunk.toString());
    }).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(seen).toEqual(['abc']);
  });
});
