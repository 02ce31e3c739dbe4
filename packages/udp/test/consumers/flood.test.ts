// Floods: dropped datagrams are counted, and a flood never ends a server.
import { mapWithBackpressure, on } from '@rxsock/core';
import { bind, type Message, mapMessages } from '@rxsock/udp';
import { NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { bound, eventsOf, live, rawPeer } from '../support/peers.js';

const text = ({ data }: Message) => data.toString();

/** Sends the numbers up to `count` over several turns, so that all of them arrive. */
async function count(port: number, numbers: number): Promise<void> {
  const peer = await rawPeer();
  for (let n = 0; n < numbers; n++) await peer.send(`${n}`, port);
}

describe('mapMessages', () => {
  test('runs one projection at a time, in order', async () => {
    const server = await bound();
    const gates: Subject<string>[] = [];
    const results = record(
      server.socket.pipe(
        mapMessages(() => {
          const gate = new Subject<string>();
          gates.push(gate);
          return gate;
        }),
      ),
    );
    await count(server.local.port, 3);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(3);
    expect(gates).toHaveLength(1);
    for (let n = 0; n < 3; n++) {
      gates[n]?.next(`result ${n}`);
      gates[n]?.complete();
    }
    expect(results.log).toEqual(['result 0', 'result 1', 'result 2']);
    await server.socket.close();
    expect(results.log.at(-1)).toBe('complete');
  });

  test.each([
    ['dropNewest', ['0', '1', '2']],
    ['dropOldest', ['0', '8', '9']],
  ] as const)('%s drops and counts what does not fit, and continues', async (overflow, taken) => {
    const server = await bound();
    let gate = new Subject<string>();
    const started: string[] = [];
    const results = record(
      server.socket.pipe(
        mapMessages(
          (message) => {
            started.push(text(message));
            return gate;
          },
          { highWaterMark: 2, overflow },
        ),
      ),
    );
    await count(server.local.port, 10);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(10);
    expect(started).toEqual(['0']);
    expect(server.socket.report).toMatchObject({ messagesRead: 10, messagesDropped: 7 });
    const first = gate;
    gate = of('done') as unknown as Subject<string>;
    first.complete();
    expect(started).toEqual(taken);
    expect(results.log).toEqual(['done', 'done']);
    await count(server.local.port, 1);
    await expect.poll(() => started).toHaveLength(4);
    expect(server.socket.report).toMatchObject({ messagesRead: 11, messagesDropped: 7 });
  });

  test('uses the given concurrency and order', async () => {
    const server = await bound();
    const gates: Subject<string>[] = [];
    const results = record(
      server.socket.pipe(
        mapMessages(
          () => {
            const gate = new Subject<string>();
            gates.push(gate);
            return gate;
          },
          { concurrency: 2, ordered: false },
        ),
      ),
    );
    await count(server.local.port, 3);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(3);
    expect(gates).toHaveLength(2);
    gates[1]?.next('the second');
    gates[0]?.next('the first');
    expect(results.log).toEqual(['the second', 'the first']);
  });

  test('has a queue for each subscription', async () => {
    const server = await bound();
    const pipeline = server.socket.pipe(mapMessages(() => NEVER, { highWaterMark: 1 }));
    const one = record(pipeline);
    await count(server.local.port, 2);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(2);
    expect(server.socket.report.messagesDropped).toBe(0);
    one.subscription.unsubscribe();
    record(pipeline);
    await count(server.local.port, 2);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(4);
    expect(server.socket.report.messagesDropped).toBe(0);
  });

  test('survives a flood of 20,000', async () => {
    const server = await bound();
    let seen = 0;
    const results = record(
      server.socket.pipe(
        mapMessages(
          async () => {
            seen++;
            await turns(1);
          },
          { highWaterMark: 16 },
        ),
      ),
    );
    const peer = await bound();
    const remote = server.local;
    for (let n = 0; n < 20_000; n++) peer.socket.next({ data: 'flood', remote });
    await expect.poll(() => peer.socket.writableLength).toBe(0);
    expect(results.log).not.toContain('complete');
    const marker = { data: 'are you there?', remote };
    await expect.poll(() => server.socket.report.messagesDropped).toBeGreaterThan(0);
    const missing = ({ messagesRead, messagesDropped } = server.socket.report) => messagesRead - messagesDropped - seen;
    await expect.poll(() => missing()).toBe(0);
    const before = seen;
    await peer.socket.send(marker);
    await expect.poll(() => seen).toBe(before + 1);
    expect(results.log.every((entry) => entry === 'undefined')).toBe(true);
  });

  test('fails with a projection, as every operator does', async () => {
    const server = await bound();
    const results = record(server.socket.pipe(mapMessages(() => throwError(() => new Error('mine')))));
    await count(server.local.port, 1);
    expect((await results.ended).error).toMatchObject({ message: 'mine' });
    expect(server.socket.readyState).toBe('open');
  });

  test('accepts messages behind other operators', async () => {
    const server = await bound();
    const results = record(
      server.socket.pipe(
        on('message'),
        mapMessages((message) => [text(message)]),
      ),
    );
    await count(server.local.port, 2);
    await expect.poll(() => results.log).toEqual(['0', '1']);
  });

  test.each([{ highWaterMark: 0 }, { highWaterMark: 1.5 }, { concurrency: 0 }])('rejects %j', (options) => {
    expect(() => bind().pipe(mapMessages(() => [], options))).toThrow(RangeError);
  });

  test('mapWithBackpressure() alone fails at its mark, unless it is set to drop', async () => {
    const server = await bound();
    const strict = record(
      server.socket.pipe(
        on('message'),
        mapWithBackpressure(() => NEVER),
      ),
    );
    const lax = record(
      server.socket.pipe(
        on('message'),
        mapWithBackpressure(() => NEVER, { overflow: 'dropNewest' }),
      ),
    );
    await count(server.local.port, 18);
    expect((await strict.ended).error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
    expect(lax.log).toEqual([]);
  });
});

describe('drops()', () => {
  test('counts what the kernel had no room for', async () => {
    const socket = bind({ recvBufferSize: 8192 });
    expect(await socket.drops()).toBeUndefined();
    const server = await live(socket);
    expect(await socket.drops()).toBe(0);
    const peer = await bound();
    for (let n = 0; n < 2000; n++) peer.socket.next({ data: 'x'.repeat(100), remote: server.local });
    await expect.poll(() => peer.socket.report.messagesWritten).toBe(2000);
    await expect.poll(async () => ((await socket.drops()) ?? 0) + socket.report.messagesRead).toBe(2000);
    expect(await socket.drops()).toBeGreaterThan(1000);
    expect(server.log).not.toContain('sendError');
    await socket.close();
    expect(await socket.drops()).toBeUndefined();
  });

  test('finds the socket by its address, IPv6 too, unless two sockets share it', async () => {
    for (const host of ['127.0.0.2', '::1', '::', '::ffff:127.0.0.1', '0.0.0.0']) {
      const one = await bound({ host, reuseAddr: true });
      expect(await one.socket.drops()).toBe(0);
      await bound({ host, port: one.local.port, reuseAddr: true });
      expect(await one.socket.drops()).toBeUndefined();
    }
  });
});
