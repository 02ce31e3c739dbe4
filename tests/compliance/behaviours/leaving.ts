// close() and leaving, against all that the peer may do at the same time.
import { data } from '@rxsock/core';
import { expect } from 'vitest';
import { bytes, expectSame } from '../support/bytes.js';
import { hear, readAll } from '../support/hear.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

export const leaving = topic('Leaving and close()', (behaviour) => {
  behaviour('close() flushes, sends FIN and waits for that of the peer', async ({ connected, settle }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const sent = bytes(MEGABYTE);
    near.next(sent);
    let closed = false;
    const report = near.close().finally(() => {
      closed = true;
    });
    expect(near.readyState).toBe('closing');
    expectSame(await readAll(far), sent);
    await settle();
    expect(closed).toBe(false);
    far.complete();
    expect(await report).toMatchObject({ by: 'local', how: 'fin', bytesWritten: MEGABYTE, bytesUnsent: 0 });
  });

  behaviour('close() on both sides at once', async ({ connected }) => {
    const { near, far } = await connected();
    const reports = await Promise.all([near.close(), far.close()]);
    expect(reports).toMatchObject([{ how: 'fin' }, { how: 'fin' }]);
    expect([near.readyState, far.readyState]).toEqual(['closed', 'closed']);
  });

  behaviour('close() again gives the same report', async ({ connected }) => {
    const { near } = await connected();
    const reports = await Promise.all([near.close(), near.close()]);
    expect(reports[1]).toBe(reports[0]);
    expect(await near.close()).toBe(reports[0]);
  });

  behaviour('close() while the peer goes on sending drops it, until its FIN', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = hear(far);
    const report = near.close();
    await until(() => heard.story.includes('end'));
    far.next(bytes(MEGABYTE));
    far.complete();
    expect(await report).toMatchObject({ by: 'local', how: 'fin', bytesRead: MEGABYTE });
    expect((await heard.ended).story.at(-1)).toBe('complete');
  });

  behaviour('what arrives during close() still goes to who reads', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const mine = hear(near);
    const theirs = hear(far);
    const report = near.close();
    await until(() => theirs.story.includes('end'));
    far.next('late');
    far.complete();
    await report;
    expect(mine.story).toEqual(['finish', 'data', 'end', 'close', 'complete']);
    expect(`${mine.bytes}`).toBe('late');
  });

  behaviour('close() does not wait for who holds', async ({ connected }) => {
    const { near, far } = await connected();
    const heard = hear(near);
    near.hold('for ever');
    far.next(bytes(300_000));
    far.complete();
    expect(await near.close()).toMatchObject({ how: 'fin' });
    expect(heard.story).not.toContain('data');
  });

  behaviour('close() of a side whose peer is held waits until it reads', async ({ connected, settle }) => {
    const { near, far } = await connected();
    const received = readAll(far);
    const release = far.hold('busy');
    const sent = bytes(8 * MEGABYTE);
    near.next(sent);
    const report = near.close();
    await settle();
    expect(near.readyState).toBe('closing');
    release();
    expectSame(await received, sent);
    expect(await report).toMatchObject({ how: 'fin', bytesUnsent: 0 });
  });

  behaviour('when the last subscriber leaves, what was written is flushed before the FIN', async (lab) => {
    const { near, far } = await lab.connected();
    const sent = bytes(MEGABYTE);
    near.next(sent);
    lab.leave(near);
    expectSame(await readAll(far), sent);
    await until(() => near.readyState === 'closed');
  });

  behaviour('who comes back within the turn keeps the connection', async (lab) => {
    const { near, far } = await lab.connected();
    lab.leave(near);
    const heard = hear(near);
    await lab.settle();
    expect(near.readyState).toBe('open');
    far.next('good');
    far.complete();
    expect(`${(await heard.ended).bytes}`).toBe('good');
  });

  behaviour('while one subscriber stays, others may leave', async (lab) => {
    const { near, far } = await lab.connected();
    const stays = hear(near);
    const leaves = near.pipe(data()).subscribe();
    lab.leave(near);
    leaves.unsubscribe();
    await lab.settle();
    far.next('good');
    far.complete();
    expect(`${(await stays.ended).bytes}`).toBe('good');
  });

  behaviour('what arrives after everybody has left is dropped, and both sides end cleanly', async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(far);
    lab.leave(near);
    await until(() => heard.story.includes('end'));
    far.next(bytes(MEGABYTE));
    far.complete();
    expect((await heard.ended).story.slice(-3)).toEqual(['finish', 'close', 'complete']);
    expect(await near.close()).toMatchObject({ by: 'local', how: 'fin', bytesRead: MEGABYTE });
  });

  behaviour("leaving after the peer's FIN with allowHalfOpen does not close: the answer may come", async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(near);
    const answer = readAll(far);
    far.complete();
    await until(() => heard.story.includes('end'));
    heard.leave();
    lab.leave(near);
    await lab.settle();
    expect(near.readyState).toBe('writeOnly');
    near.next('the answer');
    near.complete();
    expect(`${await answer}`).toBe('the answer');
  });
});
