// In every state in which a connection waits for the peer, for a reader or for the kernel, a finite limit runs by
// default. The application owns three states, all of them open: a reader waits for data, somebody holds, and the peer
// does not take what is written while the connection is in use. All combinations are generated, in memory and in
// virtual time.
import { fromDuplex, on, type Socket } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { describe, expect, test } from 'vitest';
import { duplexPair } from '../../src/testing/memory-duplex.js';

const PEERS = ['is silent', 'ends', 'sends and ends', 'sends', 'takes nothing'] as const;
const OURS = ['is open', 'has completed', 'has written', 'has written and completed'] as const;
const SUBSCRIBERS = ['a reader', 'a watcher', 'nobody'] as const;

interface Situation {
  readonly peer: (typeof PEERS)[number];
  readonly ours: (typeof OURS)[number];
  readonly subscriber: (typeof SUBSCRIBERS)[number];
  readonly held: boolean;
  readonly allowHalfOpen: boolean;
  readonly keepOpen: boolean;
}

const both = [false, true];
const situations: Situation[] = PEERS.flatMap((peer) =>
  OURS.flatMap((ours) =>
    SUBSCRIBERS.flatMap((subscriber) =>
      both.flatMap((held) =>
        both.flatMap((allowHalfOpen) =>
          both.map((keepOpen) => ({ peer, ours, subscriber, held, allowHalfOpen, keepOpen })),
        ),
      ),
    ),
  ),
);

/** Whether the application may keep the connection in this state for as long as it likes. */
function isOwned({ peer, ours, subscriber, held, keepOpen }: Situation): boolean {
  // The last subscriber has left: the socket closes, whoever holds it.
  if (subscriber === 'nobody' && !keepOpen) return false;
  if (held) return true;
  const peerIsOpen = peer !== 'ends' && peer !== 'sends and ends';
  if (subscriber === 'a reader' && peerIsOpen) return true;
  const isOpen = ours === 'is open' || ours === 'has written';
  if (isOpen && peerIsOpen) return true;
  // Nobody reads, so the FIN behind the bytes is not delivered: for the application the connection is still open.
  return false;
}

function arrange(
  { peer, ours, subscriber, held, allowHalfOpen, keepOpen }: Situation,
  scheduler: VirtualClock,
): Socket {
  const [nearEnd, farEnd] = duplexPair({
    scheduler,
    windows: [65_536, 65_536],
    faults: [{}, {}],
    connectionNumber: 0,
  });
  const near = fromDuplex(nearEnd, { scheduler, allowHalfOpen, keepOpen });
  const patient = { halfOpenTimeout: 0, finTimeout: 0, lingerTimeout: 0 };
  const far = fromDuplex(farEnd, { scheduler, allowHalfOpen: true, keepOpen: true, ...patient });
  far.subscribe({ error: () => {} });
  if (peer === 'takes nothing') far.hold('takes nothing');
  if (peer.startsWith('sends')) far.next('hello');
  if (peer.endsWith('ends') && peer !== 'sends') far.complete();

  if (held) near.hold('the test');
  const subscription =
    subscriber === 'a reader'
      ? near.subscribe({ error: () => {} })
      : near.pipe(on('close')).subscribe({ error: () => {} });
  if (ours.startsWith('has written')) near.next(Buffer.alloc(1_000_000));
  if (ours.endsWith('completed')) near.complete();
  if (subscriber === 'nobody') subscription.unsubscribe();
  return near;
}

const describeSituation = ({ peer, ours, subscriber, held, allowHalfOpen, keepOpen }: Situation) =>
  `${subscriber}${held ? ', held' : ''}, our side ${ours}, the peer ${peer}` +
  `${allowHalfOpen ? ', allowHalfOpen' : ''}${keepOpen ? ', keepOpen' : ''}`;

describe('at the default options', () => {
  const bounded = situations.filter((situation) => !isOwned(situation));

  test.each(bounded.map((situation) => [describeSituation(situation), situation] as const))(
    'a connection does not wait for ever: %s',
    (_name, situation) => {
      const clock = new VirtualClock();
      const socket = arrange(situation, clock);
      clock.tick(600_000);
      expect(socket.readyState).toBe('closed');
    },
  );

  test('the application owns the states that have no limit', () => {
    const unlimited = situations.filter((situation) => {
      const clock = new VirtualClock();
      const socket = arrange(situation, clock);
      clock.tick(600_000);
      return socket.readyState !== 'closed';
    });
    expect(unlimited.filter((situation) => !isOwned(situation))).toEqual([]);
    expect(bounded.length).toBeGreaterThan(190);
  });
});
