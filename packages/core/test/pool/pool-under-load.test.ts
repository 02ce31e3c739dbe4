// A pool under load with an unreliable server and unruly users: its rules hold whatever they do.
import { connect, connectionPool, data, lines, type Socket } from '@rxsock/core';
import { mergeMap, NEVER, type Observable, of, take, throwError, timer } from 'rxjs';
import { expect, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

/** Pseudo-random numbers, the same for each seed. */
function chances(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const MAX = 4;

test.each([1, 2, 3])('keeps its rules with seed %s', async (seed) => {
  const chance = chances(seed);
  // Answers each question, and sometimes sends too much or nothing.
  const server = await rawServer((peer) => {
    peer.on('end', () => peer.end());
    peer.on('data', (question) => {
      const choice = chance(10);
      if (choice === 0) peer.end();
      else if (choice === 1) peer.resetAndDestroy();
      else if (choice === 2) peer.write(`${question}more\n`);
      else peer.write(question);
    });
    peer.resume();
  });
  const pool = connectionPool(() => connect({ host: '127.0.0.1', port: server.port }), {
    max: MAX,
    validate: () => (chance(8) > 0 ? timer(chance(3)).pipe(mergeMap(() => of(true))) : false),
  });
  const inUse = new Set<Socket>();
  const faults: string[] = [];
  const check = (rule: string, holds: boolean) => {
    if (!holds) faults.push(rule);
  };
  const users = Array.from({ length: 300 }, async (_, index) => {
    let mine: Socket | undefined;
    const leave = async () => {
      await turns(1 + chance(5));
      subscription.unsubscribe();
    };
    const exchange = (socket: Socket): Observable<unknown> => {
      mine = socket;
      check('given to two at a time', !inUse.has(socket));
      check(
        `given ${socket.readyState}, held by ${socket.holds}`,
        socket.readyState === 'open' && !socket.holds.length,
      );
      check('more than max', pool.size <= MAX);
      inUse.add(socket);
      const choice = chance(8);
      if (choice === 0) return throwError(() => new Error('changed my mind'));
      if (choice === 1) socket.hold('forgotten');
      // Neither will see an answer.
      if (choice <= 2) void leave();
      if (choice === 2) return NEVER;
      socket.next(`${index}\n`);
      if (choice === 3) socket.complete();
      return socket.pipe(data(), lines(), take(1));
    };
    const { subscription, values, ended } = record(pool.use(exchange));
    if (index % 10 === 0) void leave();
    await Promise.race([ended, new Promise<void>((resolve) => subscription.add(resolve))]);
    if (mine) inUse.delete(mine);
    check('counts', pool.size <= MAX && pool.idle <= pool.size);
    for (const answer of values) check(`${answer} is not the answer to ${index}`, answer === String(index));
    return values.length;
  });
  const answers = (await Promise.all(users)).reduce((sum, count) => sum + count, 0);
  expect(answers).toBeGreaterThan(0);
  expect([...new Set(faults)]).toEqual([]);
  expect(pool.waiting).toBe(0);
  await pool.close({ drain: 100 });
  expect([pool.size, pool.idle, pool.waiting]).toEqual([0, 0, 0]);
});
