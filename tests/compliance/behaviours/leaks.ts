// Nothing is left behind when everything has ended.
import { EventEmitter } from 'node:events';
import { serve } from '@rxsock/core';
import { expect, vi } from 'vitest';
import type { Lab } from '../support/lab.js';
import { recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

/**
 * How many resources of each kind keep this process alive, without turns (the lab's), file requests (the loader's) and
 * timers (the test runner's).
 */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (!/^(Immediate|Timeout|CloseReq|FSReq)/.test(name)) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Waits until there are no more resources of any kind than before, and no timer on the clock. */
async function expectNoMoreThan(before: Record<string, number>, { clock }: Lab): Promise<void> {
  const more = () => Object.entries(resources()).filter(([name, count]) => count > (before[name] ?? 0));
  for (let turn = 0; turn < 5000 && more().length > 0; turn++) await new Promise(setImmediate);
  expect(more()).toEqual([]);
  expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
}

/** One connection, ended in one of several ways. */
async function cycle({ timed }: Lab, way: number): Promise<void> {
  const { near, far } = await timed({ idleTimeout: 60_000, holdTimeout: 60_000 });
  const heard = [recordStory(near), recordStory(far)];
  near.next('hello');
  if (way === 0) near.complete();
  else if (way === 1) near.error();
  else if (way === 2) void near.close();
  else if (way === 3) far.hold('test');
  if (way >= 3) {
    near.error();
    far.error();
  }
  await Promise.all(heard.map(({ ended }) => ended));
}

export const leaks = topic('Nothing is left behind', (behaviour) => {
  behaviour('connections leave no handle and no timer, however they ended', async (lab) => {
    // What the first connection allocates once is not a leak.
    for (const way of [0, 1, 2, 3]) await cycle(lab, way);
    await lab.settle();
    const before = resources();
    for (let count = 0; count < 20; count++) await cycle(lab, count % 4);
    await expectNoMoreThan(before, lab);
  });

  behaviour('a closed server leaves no handle and no timer', ['server'], async (lab) => {
    await lab.settle();
    const before = resources();
    const { server, dial, next } = await lab.listening({
      claimTimeout: 60_000,
      idleTimeout: 60_000,
      scheduler: lab.clock,
    });
    const unclaimed = dial({ scheduler: lab.clock });
    recordStory(unclaimed);
    await next();
    server.pipe(serve((socket) => socket)).subscribe();
    for (let count = 0; count < 10; count++) {
      const socket = dial({ scheduler: lab.clock });
      socket.next('hello');
      socket.complete();
      await recordStory(socket).ended;
    }
    await server.close({ drain: 0 });
    await until(() => unclaimed.readyState === 'closed');
    expect(server.sockets.size).toBe(0);
    await expectNoMoreThan(before, lab);
  });

  behaviour('using a socket adds no listener to any stream', async ({ connected, settle }) => {
    const { near, far } = await connected();
    recordStory(near);
    recordStory(far);
    await near.write('first');
    await settle();
    let added = 0;
    const spies = [
      ...(['on', 'once', 'prependListener'] as const).map((name) => {
        const original = EventEmitter.prototype[name];
        return vi.spyOn(EventEmitter.prototype, name).mockImplementation(function (this: EventEmitter, ...args) {
          added++;
          return original.apply(this, args);
        });
      }),
    ];
    try {
      for (let count = 0; count < 100; count++) {
        const heard = recordStory(near);
        const release = far.hold('test');
        const writes = [near.write('a'), far.write('b')];
        near.next('c');
        release();
        heard.leave();
        await Promise.all(writes);
      }
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(added).toBe(0);
  });
});
