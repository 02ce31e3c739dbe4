// A FIN means that everything was sent. Here: what the peer learns about an abort, where the transport can express one.
import { data, ResetError, type Socket, SocketError, writeTo } from '@rxsock/core';
import { concat, lastValueFrom, NEVER, of, type Subscription, throwError } from 'rxjs';
import { expect } from 'vitest';
import { fillBuffers, MORE_THAN_KERNEL_BUFFERS } from '../support/bytes.js';
import type { Connected, Lab } from '../support/lab.js';
import { recordStory, type Story } from '../support/story.js';
import { type AddBehaviour, topic } from '../support/topic.js';
import { until } from '../support/until.js';

/** Every call that discards written bytes. */
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
      clock.tick(1000);
    },
  ],
  [
    'an idleTimeout',
    async ({ near }, { clock, settle }) => {
      await settle();
      clock.tick(1000);
      clock.tick(1000);
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

function cuts(behaviour: AddBehaviour): void {
  for (const [name, cut, options] of cutters) {
    behaviour(`${name} with unsent bytes is an error at the peer, never an end`, ['reset'], async (lab) => {
      const both = await lab.timed({ allowHalfOpen: true, ...options });
      recordStory(both.near);
      const heard = recordStory(both.far);
      const release = both.far.hold('busy');
      fillBuffers(both.near);
      await lab.settle();
      await cut(both, lab);
      release();
      const { story, error } = await heard.ended;
      expect(story).not.toContain('end');
      expect(error).toBeInstanceOf(SocketError);
      expect(heard.bytes.length).toBeLessThan(MORE_THAN_KERNEL_BUFFERS);
    });
  }
}

function withoutReset(behaviour: AddBehaviour): void {
  behaviour('an abort is an end at the peer: check the length of messages', ['!reset'], async ({ connected }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = recordStory(far);
    await near.write('a part');
    near.error();
    await until(() => heard.story.includes('end'));
    expect(heard.story).toEqual(['data', 'end']);
  });

  behaviour(
    'an abort with unsent bytes is an end at the peer too, and the bytes are missing',
    ['!reset'],
    async (lab) => {
      const { near, far } = await lab.connected();
      recordStory(near);
      const heard = recordStory(far);
      const release = far.hold('busy');
      fillBuffers(near);
      await lab.settle();
      near.error();
      release();
      expect((await heard.ended).story).toEqual(['data', 'end', 'finish', 'close', 'complete']);
      expect(heard.bytes.length).toBeLessThan(MORE_THAN_KERNEL_BUFFERS);
      expect((await near.close()).bytesUnsent).toBeGreaterThan(0);
    },
  );
}

/** Expects that the side recorded `before` and bytes, and then an error that says they were cut: no end. */
async function expectCut({ transport }: Lab, heard: Story, ...before: string[]): Promise<void> {
  const { story, error } = await heard.ended;
  expect(story.filter((event) => event !== 'data')).toEqual([...before, 'close', error?.name]);
  expect(error).toBeInstanceOf(transport.has.resetError ? ResetError : SocketError);
}

function withReset(behaviour: AddBehaviour): void {
  behaviour('an abort is an error at the peer, never an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = recordStory(far);
    near.error();
    await expectCut(lab, heard);
  });

  behaviour('an abort of a quiet connection is a ResetError at the peer', ['reset'], async ({ connected, settle }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const heard = recordStory(far);
    await settle();
    near.error();
    expect((await heard.ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET', phase: 'read' });
    expect(await far.close()).toMatchObject({ by: 'peer', how: 'reset' });
  });

  behaviour('an abort is a ResetError at the peer, whatever it has sent before', ['resetError'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = recordStory(far);
    await near.write('a part');
    near.error();
    expect((await heard.ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET', phase: 'read' });
  });

  behaviour(
    'an abort after bytes that were handed over is an error at the peer, never an end',
    ['reset'],
    async (lab) => {
      const { near, far } = await lab.connected({ allowHalfOpen: true });
      const heard = recordStory(far);
      await near.write('a part');
      near.error();
      await expectCut(lab, heard);
    },
  );

  behaviour('an abort by the peer is reported when the hold is released, and is not an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const heard = recordStory(near);
    const release = near.hold('busy');
    await far.write('a part');
    far.error();
    await lab.settle();
    release();
    await expectCut(lab, heard);
  });

  behaviour(
    "if we abort after the peer's FIN, our answer is cut, and the peer gets an error",
    ['reset'],
    async (lab) => {
      const { near, far } = await lab.connected({ allowHalfOpen: true });
      const mine = recordStory(near);
      const theirs = recordStory(far);
      far.complete();
      await until(() => mine.story.includes('end') && theirs.story.includes('finish'));
      near.next('half an ans');
      near.error(new Error('broken'));
      expect((await mine.ended).story).toEqual(['end', 'close', 'AbortedError']);
      await expectCut(lab, theirs, 'finish');
    },
  );

  behaviour('if the peer aborts after our FIN, we get an error, never an end', ['reset'], async (lab) => {
    const { near, far } = await lab.connected({ allowHalfOpen: true });
    const mine = recordStory(near);
    const theirs = recordStory(far);
    near.complete();
    await until(() => mine.story.includes('finish') && theirs.story.includes('end'));
    far.error();
    await expectCut(lab, mine, 'finish');
  });

  behaviour('close() reports an abort by the peer', ['reset'], async ({ connected, transport }) => {
    const { near, far } = await connected({ allowHalfOpen: true });
    const theirs = recordStory(far);
    const report = near.close();
    await until(() => theirs.story.includes('end'));
    far.error();
    const how = transport.has.resetError ? 'reset' : expect.stringMatching(/^(reset|error)$/);
    expect(await report).toMatchObject({ by: 'peer', how, bytesUnsent: 0 });
  });

  behaviour('data() fails if the peer aborts', ['reset'], async ({ connected }) => {
    const { near, far } = await connected();
    const received = lastValueFrom(near.pipe(data()));
    far.error();
    await expect(received).rejects.toBeInstanceOf(SocketError);
  });
}

export const resets = topic('A FIN means that everything was sent', (behaviour) => {
  withReset(behaviour);
  cuts(behaviour);
  withoutReset(behaviour);
});
