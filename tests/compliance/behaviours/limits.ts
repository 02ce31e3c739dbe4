// Time limits, on a clock that the test controls.
import { data, type Socket, SocketTimeoutError } from '@rxsock/core';
import { expect } from 'vitest';
import { fillBuffers } from '../support/bytes.js';
import type { Connected } from '../support/lab.js';
import { recordStory, type Story } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

/** Bytes have passed, and none are in flight. The peer is held, so that its own limit does not run. */
async function quiet({ near, far }: Connected, settle: () => Promise<void>): Promise<void> {
  await settle();
  const received = near.pipe(data()).subscribe();
  far.next('x');
  await until(() => near.bytesRead === 1);
  received.unsubscribe();
  far.hold('quiet');
}

/** Expects that the socket failed with this limit, and that the report says so. */
async function expectTimeout(socket: Socket, heard: Story, timeout: string): Promise<void> {
  const { error, story } = await heard.ended;
  expect(error).toBeInstanceOf(SocketTimeoutError);
  expect(error).toMatchObject({ code: 'ETIMEDOUT', timeout });
  expect(story.slice(-2)).toEqual(['close', 'SocketTimeoutError']);
  expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
}

export const limits = topic('Limits', (behaviour) => {
  behaviour('idleTimeout emits timeout, then fails', async ({ timed, clock, settle }) => {
    const both = await timed({ idleTimeout: 1000 });
    await quiet(both, settle);
    const heard = recordStory(both.near);
    clock.tick(999);
    expect(heard.story).toEqual([]);
    clock.tick(1);
    await expectTimeout(both.near, heard, 'idleTimeout');
    expect(heard.story).toEqual(['timeout', 'close', 'SocketTimeoutError']);
  });

  behaviour('idleTimeout restarts at bytes read and at bytes written', async ({ timed, clock, settle }) => {
    const both = await timed({ idleTimeout: 1000 });
    await quiet(both, settle);
    const { near, far } = both;
    const heard = recordStory(near);
    clock.tick(900);
    far.next('read');
    await until(() => near.lastReadAt === 900);
    clock.tick(900);
    await near.write('written');
    await until(() => near.lastWriteAt === 1800);
    await settle();
    clock.tick(900);
    expect(heard.story).toEqual(['data']);
    clock.tick(100);
    await expectTimeout(near, heard, 'idleTimeout');
  });

  behaviour('idleTimeout does not run while held', async ({ timed, clock, settle }) => {
    const both = await timed({ idleTimeout: 1000 });
    await quiet(both, settle);
    const heard = recordStory(both.near);
    const release = both.near.hold('busy');
    clock.tick(100_000);
    release();
    clock.tick(999);
    expect(both.near.readyState).toBe('open');
    clock.tick(1);
    await expectTimeout(both.near, heard, 'idleTimeout');
  });

  behaviour('holdTimeout fails a socket that is held too long, and names the holders', async ({ timed, clock }) => {
    const { near } = await timed({ holdTimeout: 1000 });
    const heard = recordStory(near);
    near.hold('the disk');
    near.hold('the database');
    clock.tick(999);
    expect(near.readyState).toBe('open');
    clock.tick(1);
    await expectTimeout(near, heard, 'holdTimeout');
    expect(heard.error?.message).toContain('the disk, the database');
  });

  behaviour("halfOpenTimeout runs after the peer's FIN while our side is open", async ({ timed, clock }) => {
    const { near, far } = await timed({ allowHalfOpen: true, halfOpenTimeout: 1000 });
    const heard = recordStory(near);
    recordStory(far);
    clock.tick(5000);
    far.complete();
    await until(() => heard.story.includes('end'));
    clock.tick(900);
    await near.write('progress');
    await until(() => near.lastWriteAt === 5900);
    clock.tick(900);
    expect(near.readyState).toBe('writeOnly');
    clock.tick(100);
    await expectTimeout(near, heard, 'halfOpenTimeout');
  });

  behaviour('finTimeout runs after our FIN while nobody reads', async ({ timed, clock }) => {
    const { near, far } = await timed({ allowHalfOpen: true, finTimeout: 1000 });
    const theirs = recordStory(far);
    near.complete();
    await until(() => theirs.story.includes('end') && near.readyState === 'readOnly');
    clock.tick(999);
    expect(near.readyState).toBe('readOnly');
    clock.tick(1);
    expect(await near.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  behaviour('finTimeout does not cut a late answer that someone reads', async ({ timed, clock }) => {
    const { near, far } = await timed({ allowHalfOpen: true, finTimeout: 1000, halfOpenTimeout: 0 });
    const heard = recordStory(near);
    const theirs = recordStory(far);
    near.complete();
    await until(() => theirs.story.includes('end') && near.readyState === 'readOnly');
    clock.tick(1_000_000);
    far.next('late');
    far.complete();
    expect((await heard.ended).story).toEqual(['finish', 'data', 'end', 'close', 'complete']);
  });

  behaviour('lingerTimeout limits the wait for the FIN of the peer after the last subscriber has left', async (lab) => {
    const { near, far } = await lab.timed({ allowHalfOpen: true, lingerTimeout: 1000 });
    const theirs = recordStory(far);
    lab.leave(near);
    await until(() => theirs.story.includes('end'));
    lab.clock.tick(900);
    far.next('it still says something');
    await until(() => near.bytesRead > 0);
    lab.clock.tick(900);
    expect(near.readyState).toBe('closing');
    lab.clock.tick(100);
    expect(await near.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  behaviour('lingerTimeout limits a flush that makes no progress, and a warning reports the loss', async (lab) => {
    const { near, far } = await lab.timed({ lingerTimeout: 1000 });
    recordStory(far);
    far.hold('for ever');
    fillBuffers(near);
    lab.leave(near);
    await lab.settle();
    lab.clock.tick(1000);
    lab.clock.tick(1000);
    const { how, bytesUnsent } = await near.close();
    expect(how).toBe('timeout');
    expect(bytesUnsent).toBeGreaterThan(0);
    expect(lab.warnings()).toEqual(['ETIMEDOUT']);
  });

  behaviour('close({ timeout }) aborts after that time', async ({ timed, clock, settle }) => {
    const { near, far } = await timed({ allowHalfOpen: true });
    const heard = recordStory(near);
    recordStory(far);
    const report = near.close({ timeout: 1000 });
    await settle();
    clock.tick(999);
    expect(near.readyState).toBe('closing');
    clock.tick(1);
    expect(await report).toMatchObject({ by: 'local', how: 'timeout' });
    expect((await heard.ended).error).toBeInstanceOf(SocketTimeoutError);
  });

  behaviour('close({ timeout: 0 }) aborts at once', async ({ connected }) => {
    const { near } = await connected();
    recordStory(near);
    expect(await near.close({ timeout: 0 })).toMatchObject({ by: 'local', how: 'abort' });
  });

  behaviour('keepOpen keeps a socket without subscribers for the given time', async (lab) => {
    const { near } = await lab.timed({ keepOpen: 1000 });
    lab.leave(near);
    await lab.settle();
    lab.clock.tick(999);
    expect(near.readyState).toBe('open');
    lab.clock.tick(1);
    expect(near.readyState).not.toBe('open');
  });

  behaviour('no limit runs on after a socket has closed', async ({ timed, clock }) => {
    const { near, far } = await timed({ idleTimeout: 60_000, finTimeout: 60_000, lingerTimeout: 60_000 });
    recordStory(far);
    await near.close({ timeout: 60_000 });
    await until(() => far.readyState === 'closed');
    expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
