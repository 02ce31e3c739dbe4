// A FIN means whole: what the peer is told of an abort, where the transport can say so.
import { data, ResetError, type Socket, writeTo } from '@rxsock/core';
import { concat, lastValueFrom, NEVER, of, type Subscription, throwError } from 'rxjs';
import { expect } from 'vitest';
import { clog, MUCH } from '../support/bytes.js';
import { hear } from '../support/hear.js';
import type { Connected, Lab } from '../support/lab.js';
import { type Note, topic } from '../support/topic.js';
import { until } from '../support/until.js';

/** All that discards written bytes. */
const cutters: [string, (both: Connected, lab: Lab) => unknown, object?][] = [
  ['error()', ({ near }) => near.error()],
  [
    'error() after complete()',
    ({ near }) => {
      near.complete();
      near.error();
    },
  ],
  [
    'close() that times out',
    ({ near }, { clock }) => {
      void near.close({ timeout: 1000 });
      clock.pass(1000);
    },
  ],
  [
    'an idleTimeout',
    async ({ near }, { clock, settle }) => {
      await settle();
      clock.pass(1000);
      clock.pass(1000);
      expect(near.readyState).not.toBe('open');
    },
    { idleTimeout: 1000 },
  ],
  ['an overflow of maxWriteBuffer', ({ near }) => expect(near.next('x')).toBe(false), { maxWriteBuffer: 5_000_000 }],
  [
    'a source that fails',
    ({ near }) =>
      transfer(
        throwError(() => new Error('broken')),
        near,
      ),
  ],
  ['a transfer that is left', ({ near }) => transfer(NEVER, near).unsubscribe()],
];

function transfer(rest: typeof NEVER, socket: Socket): Subscription {
  return concat(of('first'), rest)
    .pipe(writeTo(socket))
    .subscribe({ error: () => {} });
}

function cuts(behaviour: Note): void {
  for (const [name, cut, options] of cutters) {
    behaviour(`${name} with bytes unsent is a reset at the peer, never an end`, ['reset'], async (lab) => {
      const both = await lab.timed({ allowHalfOpen: true, ...options });
      hear(both.near);
      const heard = hear(both.far);
      const release = both.far.hold('busy');
      clog(both.near);
      await lab.settle();
      await cut(both, lab);
      release();
      const { story } = await heard.ended;
      expect(story.filter((event) => event !== 'data' && event !== 'timeout')).not.toContain('end');
      expect(heard.bytes.length).toBeLessThan(MUCH);
    });
  }
}

function withoutReset(behaviour: Note): void {
  behaviour('an abort is an end at the peer: the transport has no reset', ['!reset'], async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = hear(far);
    await near.write('a part');
    near.error();
    await until(() => heard.story.includes('end'));
    expect(heard.story).toEqual(['data', 'end']);
  });
}

function withReset(behaviour: Note): void {
  behaviour('an abort is a reset at the peer, never an end', ['reset'], async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = hear(far);
    near.error();
    const { story, error } = await heard.ended;
    expect(story).toEqual(['close', 'ResetError']);
    expect(error).toBeInstanceOf(ResetError);
    expect(error?.code).toBe('ECONNRESET');
    expect(await far.close()).toMatchObject({ by: 'peer', how: 'reset' });
  });

  behaviour('an abort after bytes that were handed over is a reset, never an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(far);
    await near.write('a part');
    near.error();
    const { story } = await heard.ended;
    expect(story.filter((event) => event !== 'data')).toEqual(['close', 'ResetError']);
  });

  behaviour('a reset while held is told after the release, and is no end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(far);
    const release = far.hold('busy');
    await near.write('a part');
    near.error();
    await lab.settle();
    release();
    expect((await heard.ended).story.filter((event) => event !== 'data')).toEqual(['close', 'ResetError']);
  });

  behaviour("an abort against the peer's FIN: its own answer is cut, and it hears of it", ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const mine = hear(near);
    const theirs = hear(far);
    far.complete();
    await until(() => mine.story.includes('end') && theirs.story.includes('finish'));
    near.next('half an ans');
    near.error(new Error('broken'));
    expect((await mine.ended).story).toEqual(['end', 'close', 'AbortedError']);
    expect((await theirs.ended).story.filter((event) => event !== 'data')).toEqual(['finish', 'close', 'ResetError']);
  });

  behaviour('our FIN against an abort of the peer: a reset, never an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const mine = hear(near);
    const theirs = hear(far);
    near.complete();
    await until(() => mine.story.includes('finish') && theirs.story.includes('end'));
    far.error();
    expect((await mine.ended).story).toEqual(['finish', 'close', 'ResetError']);
  });

  behaviour('close() against an abort of the peer reports the reset', ['reset'], async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const theirs = hear(far);
    const report = near.close();
    await until(() => theirs.story.includes('end'));
    far.error();
    expect(await report).toMatchObject({ how: expect.stringMatching(/fin|reset/), bytesUnsent: 0 });
    await until(() => near.readyState === 'closed');
  });

  behaviour('data() of a connection that is reset fails', ['reset'], async ({ connected }) => {
    const { near, far } = await connected();
    const bytes = lastValueFrom(far.pipe(data()));
    near.error();
    await expect(bytes).rejects.toMatchObject({ name: 'ResetError' });
  });
}

export const resets = topic('A FIN means whole', (behaviour) => {
  withReset(behaviour);
  cuts(behaviour);
  withoutReset(behaviour);
});
