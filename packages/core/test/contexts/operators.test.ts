// Operators that deliver later, and those whose subscribers share something, call each user in that user's context.
import { data, flowFrom, framed, jsonLinesCodec, lines, mapWithBackpressure, type Socket } from '@rxsock/core';
import { SocketRegistry } from '@rxsock/core/registry';
import { VirtualClock } from '@rxsock/core/testing';
import { of, Subject, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { as, currentUser, watchAs } from '../../../../tests/support/contexts.js';
import { pair } from '../../../../tests/support/raw-peers.js';

describe('framed()', () => {
  test('notifies each subscriber in its own context, and decodes in the context of the code that called it', async () => {
    const { socket, peer } = await pair();
    const { encode, decoder } = jsonLinesCodec<number>();
    const decoding = new Set<string>();
    const codec = {
      encode,
      decoder: () => {
        decoding.add(currentUser());
        return decoder();
      },
    };
    const frames = as('maker', () => framed(socket, codec));
    const first = watchAs('first', frames);
    const second = watchAs('second', frames);
    peer.end('1\n2\n');
    await Promise.all([first.ended, second.ended]);
    expect(first.log).toEqual(['1', '2', 'complete']);
    expect(second.log).toEqual(first.log);
    expect([decoding, first.users, second.users]).toEqual([
      new Set(['maker']),
      new Set(['first']),
      new Set(['second']),
    ]);
  });

  test('fails each subscriber in its own context', async () => {
    const { socket, peer } = await pair();
    const frames = framed(socket, jsonLinesCodec());
    const first = watchAs('first', frames);
    const second = watchAs('second', frames);
    peer.write('no JSON\n');
    await Promise.all([first.ended, second.ended]);
    expect(first.log).toEqual(['error:ERR_FRAME_MALFORMED']);
    expect(second.log).toEqual(first.log);
    expect([first.users, second.users]).toEqual([new Set(['first']), new Set(['second'])]);
  });
});

describe('a hold that another user releases', () => {
  test('lets a framing operator deliver in the context of its subscriber', async () => {
    const { socket, peer } = await pair();
    const framing = socket.pipe(data(), lines()) as ReturnType<typeof flowFrom<string>>;
    let release = () => {};
    const holdAtFirst = tap((line: string) => {
      if (line === 'first') release = framing.hold();
    });
    const reader = watchAs('reader', framing.pipe(holdAtFirst));
    peer.write('first\nsecond\n');
    await expect.poll(() => reader.log).toEqual(['first']);
    as('other', () => release());
    expect(reader.log).toEqual(['first', 'second']);
    expect(reader.users).toEqual(new Set(['reader']));
    reader.subscription.unsubscribe();
  });

  test('lets mapWithBackpressure() project and emit in the context of its subscriber', () => {
    const projecting = new Set<string>();
    const project = (value: number) => {
      projecting.add(currentUser());
      return of(value);
    };
    const source = new Subject<number>();
    const results = source.pipe(mapWithBackpressure(project)) as ReturnType<typeof flowFrom<number>>;
    const reader = watchAs('reader', results);
    const release = as('other', () => results.hold());
    as('reader', () => source.next(1));
    expect(projecting).toEqual(new Set());
    as('other', () => release());
    expect(reader.log).toEqual(['1']);
    expect([projecting, reader.users]).toEqual([new Set(['reader']), new Set(['reader'])]);
  });

  test('lets flowFrom() pull and deliver in the context of its subscriber', async () => {
    const pulling = new Set<string>();
    const values = flowFrom(
      (function* () {
        for (const value of [1, 2]) {
          pulling.add(currentUser());
          yield value;
        }
      })(),
    );
    const release = as('other', () => values.hold());
    const reader = watchAs('reader', values);
    expect(reader.log).toEqual([]);
    as('other', () => release());
    await reader.ended;
    expect(reader.log).toEqual(['1', '2', 'complete']);
    expect([pulling, reader.users]).toEqual([new Set(['reader']), new Set(['reader'])]);
  });
});

test('frameTimeout fails a framing operator in the context of its subscriber, whoever lets time pass', async () => {
  const { socket, peer } = await pair();
  const scheduler = new VirtualClock();
  const reader = watchAs('reader', socket.pipe(data(), lines({ frameTimeout: 100, scheduler })));
  peer.write('a part');
  await expect.poll(() => socket.bytesRead).toBe(6);
  as('other', () => scheduler.tick(100));
  expect(reader.log).toEqual(['error:ETIMEDOUT']);
  expect(reader.users).toEqual(new Set(['reader']));
});

test('a group notifies its subscriber in the context of that subscriber of a socket that another user adds', async () => {
  const registry = new SocketRegistry<Socket>();
  const reader = watchAs('reader', registry.match('*'));
  const { socket, peer } = await pair();
  as('other', () => registry.add(socket, 'late'));
  peer.end('x');
  await expect.poll(() => reader.values.map(({ event }) => event.type)).toContain('end');
  expect(reader.users).toEqual(new Set(['reader']));
  reader.subscription.unsubscribe();
});
