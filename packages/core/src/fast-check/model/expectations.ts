// What must become true after every command, by itself: the laws of sockets, applied to what the model knows.
import type { ConnectionModel } from './connection-model.js';
import type { Observed } from './observed.js';
import { LAWS, type Law } from './socket-laws.js';

export interface Expectation {
  readonly law: Law;
  readonly expected: string;
  /** For the message. */
  readonly received: () => string;
  readonly holds: () => boolean;
}

/** What may be read ahead while nobody takes the bytes: less than the mark, and one more chunk of Node. */
const READ_AHEAD = 2 * 65_536;

/** Returns what must become true now. */
export function expectations(model: ConnectionModel, real: Observed): Expectation[] {
  return model.over ? atTheEnd(model, real) : [...incoming(model, real), ...outgoing(model, real)];
}

function incoming(model: ConnectionModel, { near, reader, watcher }: Observed): Expectation[] {
  const all: Expectation[] = [];
  if (model.flows && reader && !model.farReset) {
    all.push({
      law: LAWS.delivered,
      expected: `a reader at byte ${model.sent}`,
      received: () => `a reader at byte ${reader.position}`,
      holds: () => reader.position === model.sent,
    });
    if (model.farEnded)
      all.push({
        law: LAWS.ends,
        expected: 'the end, told to the reader',
        received: () => 'no end',
        holds: () => reader.ended,
      });
  }
  if (model.takesFirstFrame && reader && !model.farReset) {
    // Only then does it hold.
    const isStuck = () => near.holds.length > model.holds;
    all.push({
      law: LAWS.delivered,
      expected: `a reader that is stuck, or at byte ${model.sent}`,
      received: () => `a reader at byte ${reader.position}`,
      holds: () => isStuck() || reader.position === model.sent,
    });
    if (model.farEnded)
      all.push({
        law: LAWS.ends,
        expected: 'the end, told to a reader that is not stuck',
        received: () => 'no end',
        holds: () => isStuck() || reader.ended,
      });
  }
  if (!model.reader && watcher && model.endDelivered && !model.closing)
    all.push({
      law: LAWS.ends,
      expected: 'the end, told to the watcher',
      received: () => 'no end',
      holds: () => watcher.ended,
    });
  all.push({
    law: LAWS.held,
    expected: `${model.holds} holds${model.reader === 'stuck' ? ' and that of the consumer' : ''}`,
    received: () => `held by ${near.holds.join(', ') || 'nobody'}`,
    holds: () => near.holds.length === model.holds || (model.reader === 'stuck' && near.holds.length > model.holds),
  });
  const most = READ_AHEAD + model.givenBack;
  all.push({
    law: LAWS.bounded,
    expected: `at most ${most} bytes that were read and not taken`,
    received: () => `${near.readableLength} bytes`,
    holds: () => near.readableLength <= most,
  });
  return all;
}

function outgoing(model: ConnectionModel, real: Observed): Expectation[] {
  const { far, near } = real;
  if (!far || model.farReset) return [];
  const all: Expectation[] = [
    {
      law: LAWS.content,
      expected: 'the bytes that were written, at the other end',
      received: () => `byte ${far.mismatch} is another one`,
      holds: () => far.mismatch === undefined,
    },
    {
      law: LAWS.whole,
      expected: 'no FIN at the other end before complete() and the last byte',
      received: () => `a FIN after ${far.received} of ${model.offered} bytes`,
      holds: () => far.ended !== 'fin' || (model.completed && far.received === model.offered),
    },
  ];
  if (model.stalled) return all;
  all.push({
    law: LAWS.delivered,
    expected: `${model.offered} bytes at the other end`,
    received: () => `${far.received} bytes`,
    holds: () => far.received === model.offered,
  });
  if (model.completed)
    all.push({
      law: LAWS.ends,
      expected: 'a FIN at the other end',
      received: () => far.ended ?? 'nothing',
      holds: () => far.ended === 'fin',
    });
  all.push({
    law: LAWS.writes,
    expected: 'every write() settled',
    received: () => `${real.pendingWrites} pending`,
    holds: () => real.pendingWrites === 0,
  });
  const { drainsBefore } = real;
  if (drainsBefore !== undefined && !model.completed)
    all.push({
      law: LAWS.writes,
      expected: 'drain after next() had returned false',
      received: () => `no drain; ${near.writableLength} bytes wait`,
      holds: () => (real.drains ?? 0) > drainsBefore,
    });
  return all;
}

function atTheEnd(model: ConnectionModel, real: Observed): Expectation[] {
  const { near, far, reader, watcher } = real;
  const law = model.over === 'aborted' ? LAWS.decisions : model.over === 'timeout' ? LAWS.clock : LAWS.ends;
  const all: Expectation[] = [
    { law, expected: 'a closed socket', received: () => near.readyState, holds: () => near.readyState === 'closed' },
    {
      law: LAWS.writes,
      expected: 'every write() settled',
      received: () => `${real.pendingWrites} pending`,
      holds: () => real.pendingWrites === 0,
    },
  ];
  all.push({
    law,
    expected: 'every close() reported',
    received: () => `${real.pendingCloses} pending`,
    holds: () => real.pendingCloses === 0,
  });
  // A consumer that is stuck is told of what this side has decided. What the peer did waits behind its values.
  const isTold = model.reader !== 'stuck' || model.over === 'aborted' || model.over === 'timeout';
  if (reader && isTold)
    all.push({
      law,
      expected: model.over === 'whole' ? 'complete, told to the reader' : 'an error, told to the reader',
      received: () => (reader.terminal ? `${reader.terminal === 'complete' ? 'complete' : 'an error'}` : 'nothing'),
      holds: () =>
        reader.terminal !== undefined &&
        (model.dropping || (reader.terminal === 'complete') === (model.over === 'whole')),
    });
  if (watcher)
    all.push({ law, expected: 'close, told to the watcher', received: () => 'nothing', holds: () => watcher.closed });
  if (model.over === 'whole' && reader && isTold && !model.dropping)
    all.push({
      law: LAWS.delivered,
      expected: `a reader at byte ${model.sent}`,
      received: () => `a reader at byte ${reader.position}`,
      holds: () => reader.position === model.sent,
    });
  if (far && model.hasResets && !model.farReset) {
    all.push({
      law: LAWS.whole,
      expected: 'no FIN at the other end before complete() and the last byte',
      received: () => `a FIN after ${far.received} of ${model.offered} bytes`,
      holds: () => far.ended !== 'fin' || (model.completed && far.received === model.offered),
    });
    if (!model.stalled)
      all.push({
        law: LAWS.ends,
        expected: 'the other end is told',
        received: () => 'nothing',
        holds: () => far.ended !== undefined,
      });
  }
  return all;
}
