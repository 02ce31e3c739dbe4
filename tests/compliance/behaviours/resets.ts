// A FIN means whole: what the peer is told of an abort, where the transport can say so.
import { data, ResetError, type Socket, SocketError, writeTo } from '@rxsock/core';
import { concat, lastValueFrom, NEVER, of, type Subscription, throwError } from 'rxjs';
import { expect } from 'vitest';
import { clog, MUCH } from '../support/bytes.js';
import { type Heard, hear } from '../support/hear.js';
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
    behaviour(`${name} with bytes unsent is an error at the peer, never an end`, ['reset'], async (lab) => {
      const both = await lab.timed({ allowHalfOpen: true, ...options });
      hear(both.near);
      const heard = hear(both.far);
      const release = both.far.hold('busy');
      clog(both.near);
      await lab.settle();
      await cut(both, lab);
      release();
      const { story, error } = await heard.ended;
      expect(story).not.toContain('end');
      expect(error).toBeInstanceOf(SocketError);
      expect(heard.bytes.length).toBeLessThan(MUCH);
    });
  }
}

function withoutReset(behaviour: Note): void {
  behaviour('an abort is an end at the peer: mind the length of what comes', ['!reset'], async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = hear(far);
    await near.write('a part');
    near.error();
    await until(() => heard.story.includes('end'));
    expect(heard.story).toEqual(['data', 'end']);
  });

  behaviour('an abort with bytes unsent is an end at the peer too: they are missing', ['!reset'], async (lab) => {
    const { near, far } = await lab.connected();
    hear(near);
    const heard = hear(far);
    const release = far.hold('busy');
    clog(near);
    await lab.settle();
    near.error();
    release();
    expect((await heard.ended).story).toEqual(['data', 'end', 'finish', 'close', 'complete']);
    expect(heard.bytes.length).toBeLessThan(MUCH);
    expect((await near.close()).bytesUnsent).toBeGreaterThan(0);
  });
}

/** It heard `before` and bytes, and then that they were cut: no end. */
async function expectCut({ transport }: Lab, heard: Heard, ...before: string[]): Promise<void> {
  const { story, error } = await heard.ended;
  expect(story.filter((event) => event !== 'data')).toEqual([...before, 'close', error?.name]);
  expect(error).toBeInstanceOf(transport.has.resetError ? ResetError : SocketError);
}

function withReset(behaviour: Note): void {
  behaviour('an abort is an error at the peer, never an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(far);
    near.error();
    await expectCut(lab, heard);
  });

  behaviour('an abort of a quiet connection is a ResetError at the peer', ['reset'], async ({ connected, settle }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = hear(far);
    await settle();
    near.error();
    expect((await heard.ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET', phase: 'read' });
    expect(await far.close()).toMatchObject({ by: 'peer', how: 'reset' });
  });

  behaviour('an abort is a ResetError at the peer, whatever it has sent before', ['resetError'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(far);
    await near.write('a part');
    near.error();
    expect((await heard.ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET', phase: 'read' });
  });

  behaviour(
    'an abort after bytes that were handed over is an error at the peer, never an end',
    ['reset'],
    async (lab) => {
      const { near, far } = await lab.connected({ allowHalfOpen: true });
      const heard = hear(far);
      await near.write('a part');
      near.error();
      await expectCut(lab, heard);
    },
  );

  behaviour('an abort by the peer while we are held is told at the release, and is no end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = hear(near);
    const release = near.hold('busy');
    await far.write('a part');
    far.error();
    await lab.settle();
    release();
    await expectCut(lab, heard);
  });

  behaviour("an abort against the peer's FIN: our answer is cut, and it hears of it", ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const mine = hear(near);
    const theirs = hear(far);
    far.complete();
    await until(() => mine.story.includes('end') && theirs.story.includes('finish'));
    near.next('half an ans');
    near.error(new Error('broken'));
    expect((await mine.ended).story).toEqual(['end', 'close', 'AbortedError']);
    await expectCut(lab, theirs, 'finish');
  });

  behaviour('our FIN against an abort of the peer is an error, never an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const mine = hear(near);
    const theirs = hear(far);
    near.complete();
    await until(() => mine.story.includes('finish') && theirs.story.includes('end'));
    far.error();
    await expectCut(lab, mine, 'finish');
  });

  behaviour('close() against an abort of the peer reports that', ['reset'], async ({ connected, transport }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const theirs = hear(far);
    const report = near.close();
    await until(() => theirs.story.includes('end'));
    far.error();
    const how = transport.has.resetError ? 'reset' : expect.stringMatching(/^(reset|error)$/);
    expect(await report).toMatchObject({ by: 'peer', how, bytesUnsent: 0 });
  });

  behaviour('data() of a connection that the peer aborts fails', ['reset'], async ({ connected }) => {
    const { near, far } = await connected();
    const received = lastValueFrom(near.pipe(data()));
    far.error();
    await expect(received).rejects.toBeInstanceOf(SocketError);
  });
}

export const resets = topic('A FIN means whole', (behaviour) => {
  withReset(behaviour);
  cuts(behaviour);
  withoutReset(behaviour);
});
