// Every order of the two FINs, by name. In all of them nothing is lost, and both sides end without an error.
import { expect } from 'vitest';
import { bytes, expectSame } from '../support/bytes.js';
import type { Connected, Lab } from '../support/lab.js';
import { recordStory, type Story } from '../support/story.js';
import { type AddBehaviour, topic } from '../support/topic.js';
import { until } from '../support/until.js';

const MEGABYTE = 1_000_000;

interface Closing extends Connected {
  /** What the near side and the far side have recorded. */
  readonly mine: Story;
  readonly theirs: Story;
}

/** Two sockets with allowHalfOpen that are read. */
async function listenTo({ connected }: Lab): Promise<Closing> {
  const { near, far } = await connected({ allowHalfOpen: true });
  return { near, far, mine: recordStory(near), theirs: recordStory(far) };
}

/** Both sides record the peer's end and their own finish in the given orders. Drains are ignored. */
async function expectEnds({ mine, theirs }: Closing, near: string, far: string): Promise<void> {
  const stories = [await mine.ended, await theirs.ended].map(({ story }) =>
    story.filter((event) => event !== 'drain').join(' '),
  );
  expect(stories).toEqual([`${near} close complete`, `${far} close complete`]);
}

function sendAndReceive(behaviour: AddBehaviour): void {
  behaviour("our FIN comes first, then the peer's", async (lab) => {
    const both = await listenTo(lab);
    both.near.complete();
    await until(() => both.theirs.story.includes('end'));
    both.far.complete();
    await expectEnds(both, 'finish end', 'end finish');
  });

  behaviour("the peer's FIN comes first, then ours", async (lab) => {
    const both = await listenTo(lab);
    both.far.complete();
    await until(() => both.mine.story.includes('end'));
    both.near.complete();
    await expectEnds(both, 'end finish', 'finish end');
  });

  behaviour('both sides send FIN at once', async (lab) => {
    const both = await listenTo(lab);
    both.near.complete();
    both.far.complete();
    await expectEnds(both, 'finish end', 'finish end');
  });

  behaviour('both sides send FIN at once, each behind a megabyte', async (lab) => {
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

  behaviour("the peer's FIN arrives while our bytes are in flight", async (lab) => {
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

  behaviour("our FIN comes first, then the peer's answer and FIN", async (lab) => {
    const both = await listenTo(lab);
    both.near.next('request');
    both.near.complete();
    await until(() => both.theirs.story.includes('end'));
    both.far.next('answer');
    both.far.complete();
    await expectEnds(both, 'finish data end', 'data end finish');
  });

  behaviour("the peer's answer and FIN arrive before our request has ended", async (lab) => {
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

function whileHeld(behaviour: AddBehaviour): void {
  behaviour("the peer's FIN is emitted at the release, after the bytes, if we are held", async (lab) => {
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

  behaviour('our FIN is sent while we are held', async (lab) => {
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

  behaviour('both sides send FIN while both are held', async (lab) => {
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

function answeredByItself(behaviour: AddBehaviour): void {
  behaviour('without allowHalfOpen one FIN is answered by the other', async (lab) => {
    const { near, far } = await lab.connected();
    const both = { near, far, mine: recordStory(near), theirs: recordStory(far) };
    both.near.complete();
    await expectEnds(both, 'finish end', 'end finish');
  });

  behaviour('without allowHalfOpen both sides send FIN at once', async (lab) => {
    const { near, far } = await lab.connected();
    const both = { near, far, mine: recordStory(near), theirs: recordStory(far) };
    both.near.complete();
    both.far.complete();
    await expectEnds(both, 'finish end', 'finish end');
  });

  behaviour('without allowHalfOpen an answer in flight is sent before the FIN', async (lab) => {
    const { near, far } = await lab.connected();
    const both = { near, far, mine: recordStory(near), theirs: recordStory(far) };
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
