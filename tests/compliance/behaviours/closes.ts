// Every ordering of the two FINs, by name. In all of them nothing is lost, and both sides end without an error.
import { expect } from 'vitest';
import { bytes, expectSame } from '../support/bytes.js';
import { type Heard, hear } from '../support/hear.js';
import type { Connected, Lab } from '../support/lab.js';
import { type Note, topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

interface Closing extends Connected {
  /** What near has heard, and far. */
  readonly mine: Heard;
  readonly theirs: Heard;
}

/** Two sockets that are read, with half-open on. */
async function listenTo({ connected }: Lab): Promise<Closing> {
  const { near, far } = await connected({ allowHalfOpen: true });
  return { near, far, mine: hear(near), theirs: hear(far) };
}

/** Both have heard the end of the other and their own, in these orders, drains apart. */
async function expectEnds({ mine, theirs }: Closing, near: string, far: string): Promise<void> {
  const stories = [await mine.ended, await theirs.ended].map(({ story }) =>
    story.filter((event) => event !== 'drain').join(' '),
  );
  expect(stories).toEqual([`${near} close complete`, `${far} close complete`]);
}

function sendAndReceive(note: Note): void {
  note('our FIN first, then that of the peer', async (lab) => {
    const both = await listenTo(lab);
    both.near.complete();
    await until(() => both.theirs.story.includes('end'));
    both.far.complete();
    await expectEnds(both, 'finish end', 'end finish');
  });

  note("the peer's FIN first, then ours", async (lab) => {
    const both = await listenTo(lab);
    both.far.complete();
    await until(() => both.mine.story.includes('end'));
    both.near.complete();
    await expectEnds(both, 'end finish', 'finish end');
  });

  note('both FINs at once', async (lab) => {
    const both = await listenTo(lab);
    both.near.complete();
    both.far.complete();
    await expectEnds(both, 'finish end', 'finish end');
  });

  note('both FINs at once, each behind a megabyte', async (lab) => {
    const both = await listenTo(lab);
    const [there, back] = [bytes(MEGABYTE, 1), bytes(MEGABYTE, 2)];
    both.near.next(there);
    both.far.next(back);
    both.near.complete();
    both.far.complete();
    await Promise.all([both.mine.ended, both.theirs.ended]);
    expectSame(both.mine.bytes, back);
    expectSame(both.theirs.bytes, there);
    for (const { story } of [both.mine, both.theirs]) {
      expect(story.indexOf('end')).toBeGreaterThan(story.lastIndexOf('data'));
      expect(story).toEqual(expect.arrayContaining(['finish', 'end', 'complete']));
    }
  });

  note("the peer's FIN while our bytes are on their way", async (lab) => {
    const both = await listenTo(lab);
    const release = both.far.hold('busy');
    const sent = bytes(MEGABYTE);
    both.near.next(sent);
    both.near.complete();
    both.far.complete();
    await until(() => both.mine.story.includes('end'));
    release();
    await Promise.all([both.mine.ended, both.theirs.ended]);
    expectSame(both.theirs.bytes, sent);
    expect(both.mine.error ?? both.theirs.error).toBeUndefined();
  });

  note('our FIN, and after it the answer of the peer and its FIN', async (lab) => {
    const both = await listenTo(lab);
    both.near.next('request');
    both.near.complete();
    await until(() => both.theirs.story.includes('end'));
    both.far.next('answer');
    both.far.complete();
    await expectEnds(both, 'finish data end', 'data end finish');
  });

  note("the peer's answer and FIN before our request has ended", async (lab) => {
    const both = await listenTo(lab);
    both.near.next('long ');
    await until(() => both.theirs.story.includes('data'));
    both.far.next('enough');
    both.far.complete();
    await until(() => both.mine.story.includes('end'));
    both.near.next('request');
    both.near.complete();
    await Promise.all([both.mine.ended, both.theirs.ended]);
    expect([`${both.mine.bytes}`, `${both.theirs.bytes}`]).toEqual(['enough', 'long request']);
    expect(both.mine.story.slice(-5)).toEqual(['data', 'end', 'finish', 'close', 'complete']);
  });
}

function whileHeld(note: Note): void {
  note("the peer's FIN while we are held: told at the release, after the bytes", async (lab) => {
    const both = await listenTo(lab);
    const release = both.near.hold('busy');
    both.far.next('before');
    both.far.complete();
    await until(() => both.near.readyState === 'writeOnly');
    await lab.settle();
    expect(both.mine.story).toEqual([]);
    release();
    both.near.complete();
    await expectEnds(both, 'data end finish', 'finish end');
  });

  note('our FIN while we are held', async (lab) => {
    const both = await listenTo(lab);
    const release = both.near.hold('busy');
    both.near.complete();
    await until(() => both.theirs.story.includes('end'));
    both.far.next('answer');
    both.far.complete();
    await until(() => both.theirs.story.includes('finish'));
    await lab.settle();
    expect(both.mine.story).toEqual(['finish']);
    release();
    await expectEnds(both, 'finish data end', 'end finish');
  });

  note('both FINs while both are held', async (lab) => {
    const both = await listenTo(lab);
    const releases = [both.near.hold('busy'), both.far.hold('busy')];
    both.near.next('there');
    both.far.next('back');
    both.near.complete();
    both.far.complete();
    await until(() => both.mine.story.includes('finish') && both.theirs.story.includes('finish'));
    await lab.settle();
    expect([both.mine.story, both.theirs.story]).toEqual([['finish'], ['finish']]);
    for (const release of releases) release();
    await expectEnds(both, 'finish data end', 'finish data end');
  });
}

function answeredByItself(note: Note): void {
  note('without allowHalfOpen: one FIN is answered by the other', async (lab) => {
    const { near, far } = await lab.connected();
    const both = { near, far, mine: hear(near), theirs: hear(far) };
    both.near.complete();
    await expectEnds(both, 'finish end', 'end finish');
  });

  note('without allowHalfOpen: both FINs at once', async (lab) => {
    const { near, far } = await lab.connected();
    const both = { near, far, mine: hear(near), theirs: hear(far) };
    both.near.complete();
    both.far.complete();
    await expectEnds(both, 'finish end', 'finish end');
  });

  note('without allowHalfOpen: an answer that is on its way goes before the FIN', async (lab) => {
    const { near, far } = await lab.connected();
    const both = { near, far, mine: hear(near), theirs: hear(far) };
    const answer = bytes(MEGABYTE);
    both.far.next(answer);
    both.near.complete();
    await Promise.all([both.mine.ended, both.theirs.ended]);
    expectSame(both.mine.bytes, answer);
    expect(both.mine.story.slice(-2)).toEqual(['close', 'complete']);
  });
}

export const closes = topic('The order of the two FINs', (behaviour) => {
  sendAndReceive(behaviour);
  whileHeld(behaviour);
  answeredByItself(behaviour);
});
