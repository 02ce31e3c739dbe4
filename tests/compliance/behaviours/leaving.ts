// close() and unsubscribing, while the peer does something at the same time.
import { data } from '@rxsock/core';
import { expect } from 'vitest';
import { bytes, expectSame } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

export const leaving = topic('Leaving and close()', (behaviour) => {
  behaviour("close() flushes, sends FIN and waits for the peer's FIN", async ({ connected, settle }) => {
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

  behaviour('close() works on both sides at once', async ({ connected }) => {
    const { near, far } = await connected();
    const reports = await Promise.all([near.close(), far.close()]);
    expect(reports).toMatchObject([{ how: 'fin' }, { how: 'fin' }]);
    expect([near.readyState, far.readyState]).toEqual(['closed', 'closed']);
  });

  behaviour('close() returns the same report again', async ({ connected }) => {
    const { near } = await connected();
    const reports = await Promise.all([near.close(), near.close()]);
    expect(reports[1]).toBe(reports[0]);
    expect(await near.close()).toBe(reports[0]);
  });

  behaviour('close() drops what the peer sends, until its FIN', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = recordStory(far);
    const report = near.close();
    await until(() => heard.story.includes('end'));
    far.next(bytes(MEGABYTE));
    far.complete();
    expect(await report).toMatchObject({ by: 'local', how: 'fin', bytesRead: MEGABYTE });
    expect((await heard.ended).story.at(-1)).toBe('complete');
  });

  behaviour('readers still receive what arrives during close()', async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const mine = recordStory(near);
    const theirs = recordStory(far);
    const report = near.close();
    await until(() => theirs.story.includes('end'));
    far.next('late');
    far.complete();
    await report;
    expect(mine.story).toEqual(['finish', 'data', 'end', 'close', 'complete']);
    expect(`${mine.bytes}`).toBe('late');
  });

  behaviour('close() does not wait for a holder', async ({ connected }) => {
    const { near, far } = await connected();
    const heard = recordStory(near);
    near.hold('for ever');
    far.next(bytes(300_000));
    far.complete();
    expect(await near.close()).toMatchObject({ how: 'fin' });
    expect(heard.story).not.toContain('data');
  });

  behaviour('close() of a side whose peer is held waits until the peer reads', async ({ connected, settle }) => {
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

  behaviour('when the last subscriber leaves, written bytes are flushed before the FIN', async (lab) => {
    const { near, far } = await lab.connected();
    const sent = bytes(MEGABYTE);
    near.next(sent);
    lab.leave(near);
    expectSame(await readAll(far), sent);
    await until(() => near.readyState === 'closed');
  });

  behaviour('a new subscriber in the same turn keeps the connection', async (lab) => {
    const { near, far } = await lab.connected();
    lab.leave(near);
    const heard = recordStory(near);
    await lab.settle();
    expect(near.readyState).toBe('open');
    far.next('good');
    far.complete();
    expect(`${(await heard.ended).bytes}`).toBe('good');
  });

  behaviour('the connection stays while one subscriber stays', async (lab) => {
    const { near, far } = await lab.connected();
    const staying = recordStory(near);
    const leaves = near.pipe(data()).subscribe();
    lab.leave(near);
    leaves.unsubscribe();
    await lab.settle();
    far.next('good');
    far.complete();
    expect(`${(await staying.ended).bytes}`).toBe('good');
  });

  behaviour('what arrives after the last subscriber has left is dropped, and both sides end cleanly', async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = recordStory(far);
    lab.leave(near);
    await until(() => heard.story.includes('end'));
    far.next(bytes(MEGABYTE));
    far.complete();
    expect((await heard.ended).story.slice(-3)).toEqual(['finish', 'close', 'complete']);
    expect(await near.close()).toMatchObject({ by: 'local', how: 'fin', bytesRead: MEGABYTE });
  });

  behaviour(
    "unsubscribing after the peer's FIN with allowHalfOpen does not close: the answer may still be written",
    async (lab) => {
      const { near, far } = await lab.connected({ allowHalfOpen: true });
      const heard = recordStory(near);
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
    },
  );
});
