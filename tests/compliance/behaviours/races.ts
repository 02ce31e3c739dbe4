// Concurrent writers, readers, deadlines and closes. After Go's nettest.TestConn.
import { reader, type Socket, SocketTimeoutError } from '@rxsock/core';
import { expect } from 'vitest';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

export const races = topic('Concurrent calls', (behaviour) => {
  behaviour('chunks of several writers arrive whole, and in order for each writer', async ({ connected }) => {
    const { near, far } = await connected();
    const received = readAll(far);
    const writer = async (name: string) => {
      for (let index = 0; index < 50; index++) await near.write(`${name}${index}${'.'.repeat(500)}\n`);
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(writer));
    near.complete();
    const lines = `${await received}`.split('\n').slice(0, -1);
    expect(lines).toHaveLength(200);
    for (const name of ['a', 'b', 'c', 'd']) {
      const ownLines = lines.filter((line) => line.startsWith(name));
      expect(ownLines).toEqual(Array.from({ length: 50 }, (_, index) => `${name}${index}${'.'.repeat(500)}`));
    }
  });

  behaviour('readers that come and go take nothing from the one that stays', async ({ connected }) => {
    const { near, far } = await connected();
    const staying = recordStory(near);
    for (let index = 0; index < 50; index++) {
      const passing = recordStory(near);
      await far.write(`${index} `);
      await until(() => passing.bytes.length > 0);
      passing.leave();
    }
    far.complete();
    expect(`${(await staying.ended).bytes}`).toBe(Array.from({ length: 50 }, (_, index) => `${index} `).join(''));
  });

  behaviour('a read that times out loses nothing: the next read gets it', async ({ timed, clock }) => {
    const { near, far } = await timed();
    const input = reader(near);
    const late = input.read(4, { timeout: 1000 });
    const failed = expect(late).rejects.toBeInstanceOf(SocketTimeoutError);
    far.next('ab');
    await until(() => near.bytesRead === 2);
    clock.tick(1000);
    await failed;
    far.next('cd');
    expect(`${await input.read(4, { timeout: 1000 })}`).toBe('abcd');
    input.release();
  });

  behaviour('concurrent reads wait their turn, and each gets its own part', async ({ connected }) => {
    const { near, far } = await connected();
    using input = reader(near);
    const reads = [input.read(3), input.readLine(), input.read(2), input.readAll()];
    far.next('abcline\nde');
    far.next('rest');
    far.complete();
    expect((await Promise.all(reads)).map(String)).toEqual(['abc', 'line', 'de', 'rest']);
  });

  behaviour('close() ends a pending read', async ({ connected }) => {
    const { near, far } = await connected();
    const input = reader(near);
    const read = input.read(1);
    const failed = expect(read).rejects.toBeInstanceOf(Error);
    recordStory(far);
    await near.close();
    await failed;
    input.release();
  });

  behaviour('error() ends a pending read with its error', async ({ connected }) => {
    const { near } = await connected();
    const input = reader(near);
    const read = input.readLine();
    near.error('enough');
    await expect(read).rejects.toMatchObject({ name: 'AbortedError', cause: 'enough' });
    input.release();
  });

  behaviour('all methods at once, on both sides, lead to one end for each side', async ({ connected, settle }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = [recordStory(near), recordStory(far)];
    const use = async (socket: Socket, byte: number) => {
      for (let index = 0; index < 50; index++) {
        const release = socket.hold('test');
        socket.next(Uint8Array.of(byte));
        const written = socket.write(Uint8Array.of(byte));
        recordStory(socket).leave();
        expect([socket.readyState, socket.holds.length > 0]).toEqual(['open', true]);
        release();
        release();
        await written;
      }
    };
    await Promise.all([use(near, 1), use(far, 2)]);
    const end = (socket: Socket) => {
      socket.complete();
      return socket.close();
    };
    const reports = await Promise.all([end(near), end(far)]);
    await settle();
    expect(reports).toMatchObject([
      { bytesWritten: 100, bytesRead: 100 },
      { bytesWritten: 100, bytesRead: 100 },
    ]);
    for (const { story } of heard) {
      expect(story.filter((event) => event === 'end' || event === 'complete')).toEqual(['end', 'complete']);
    }
  });

  behaviour('ending a socket in every way at once ends it once', async ({ connected, settle }) => {
    const { near, far } = await connected();
    const heard = [recordStory(near), recordStory(far)];
    const reports = [near.close(), far.close({ timeout: 1000 })];
    near.complete();
    far.complete();
    near.error();
    far.error();
    await Promise.all([...reports, near.close(), far.close({ timeout: 0 })]);
    await settle();
    for (const { story } of heard) expect(story.filter((event) => event === 'close')).toHaveLength(1);
    for (const { story } of heard) expect(story.at(-1)).toMatch(/Error$/);
  });
});
