// Reading with await, and files, over each transport.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, reader, saveTo, sendFile, sendFrom } from '@rxsock/core';
import { lastValueFrom } from 'rxjs';
import { expect, onTestFinished } from 'vitest';
import { bytes, expectSame, MORE_THAN_KERNEL_BUFFERS } from '../support/bytes.js';
import { readAll, recordStory } from '../support/story.js';
import { type AddBehaviour, topic } from '../support/topic.js';

const MEGABYTE = 1_000_000;

export const readersAndFiles = topic('Readers and files', (behaviour) => {
  readers(behaviour);
  files(behaviour);
});

function readers(behaviour: AddBehaviour): void {
  behaviour('reader() reads lines, bytes and the rest with await', async ({ connected }) => {
    const { near, far } = await connected();
    for (const piece of ['HEL', 'LO\r', '\n', 'abcdef', 'key=val', 'ue;', 'the rest']) far.next(piece);
    far.complete();
    using input = reader(near);
    const read = [await input.readLine(), await input.read(6), await input.readUntil(';'), await input.readAll()];
    expect(read.map(String)).toEqual(['HELLO', 'abcdef', 'key=value', 'the rest']);
    expect(await input.readLine()).toBeUndefined();
  });

  behaviour('reader() gives unused bytes back: the next reader starts there', async ({ connected }) => {
    const { near, far } = await connected();
    far.next('STARTTLS\r\nand all the rest');
    far.complete();
    {
      using input = reader(near);
      expect(await input.readLine()).toBe('STARTTLS');
    }
    expect(`${await readAll(near)}`).toBe('and all the rest');
  });

  behaviour('for await takes one chunk at a time, up to the end', async ({ connected }) => {
    const { near, far } = await connected();
    far.next(bytes(200_000));
    far.complete();
    const chunks: Buffer[] = [];
    for await (const chunk of near) chunks.push(chunk);
    expectSame(Buffer.concat(chunks), bytes(200_000));
  });
}

function files(behaviour: AddBehaviour): void {
  const directory = () => {
    const path = mkdtempSync(join(tmpdir(), 'rxsock-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };

  behaviour('sendFile() and saveTo() carry a file', async ({ connected }) => {
    const { near, far } = await connected();
    const path = directory();
    const content = bytes(3 * MEGABYTE);
    writeFileSync(join(path, 'original'), content);
    const saved = lastValueFrom(far.pipe(data(), saveTo(join(path, 'copy'))));
    const progress = await lastValueFrom(sendFile(near, join(path, 'original')));
    expect(progress).toEqual({ bytesSent: content.length, bytesTotal: content.length });
    expect(await saved).toEqual({ bytesSaved: content.length });
    expectSame(readFileSync(join(path, 'copy')), content);
  });

  behaviour('saveTo() keeps nothing of a transfer that was cut', ['reset'], async ({ connected }) => {
    const { near, far } = await connected();
    const path = directory();
    recordStory(near);
    const saved = lastValueFrom(far.pipe(data(), saveTo(join(path, 'part'))));
    const failed = expect(saved).rejects.toMatchObject({ phase: 'read' });
    await near.write(bytes(MEGABYTE));
    near.error();
    await failed;
    expect(readdirSync(path)).toEqual([]);
  });

  behaviour('sendFrom() sends what an async iterable yields, no faster than the peer reads', async (lab) => {
    const { near, far } = await lab.connected();
    const release = far.hold('busy');
    const received = readAll(far);
    let yielded = 0;
    async function* chunks() {
      for (; yielded < MORE_THAN_KERNEL_BUFFERS; yielded += MEGABYTE) yield Buffer.alloc(MEGABYTE);
    }
    const sent = lastValueFrom(sendFrom(near, chunks()));
    await lab.settle();
    expect(yielded).toBeLessThan(MORE_THAN_KERNEL_BUFFERS);
    release();
    expect(await sent).toEqual({ bytesSent: MORE_THAN_KERNEL_BUFFERS });
    expect(await received).toHaveLength(MORE_THAN_KERNEL_BUFFERS);
  });
}
