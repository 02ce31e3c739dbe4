// What a lot of small pieces does: to memory while they wait, and to the event loop while they leave.
import fc from 'fast-check';
import type { ConnectionModel } from './connection-model.js';
import { retainedBytes } from './memory-use.js';
import { numberedBytes } from './numbered-bytes.js';
import { LAWS, type Verdict } from './socket-laws.js';
import { command, type SocketCommand } from './steps.js';

/**
 * A flood of single bytes comes in portions. The first ones may cost memory for code, and in any of them other code may
 * free memory. So two portions that cost little are enough for a pass, and it takes six others to fail.
 */
const CHEAP_PORTIONS = 2;
const DEAR_PORTIONS = 6;
const PORTION = 1000;
const MOST = (CHEAP_PORTIONS + DEAR_PORTIONS) * PORTION;

/** How much memory a waiting byte may cost. Alone, a chunk costs a hundred bytes. */
const COST = 48;

/** More than the other end and a pair in memory have room for, so that what follows has to wait. */
const FILLING = 400_000;
const PART = 10_000;

const flood = command({
  says: 'the other end stops reading, and next() with thousands of single bytes waits',
  check: (model) => model.hasClock && model.works && model.used && !model.completed,
  async act(model, real) {
    model.stalled = true;
    real.far?.stall();
    const { near, verdict } = real;
    const bytes = numberedBytes('near', model.offered, FILLING + MOST);
    for (let at = 0; at < FILLING; at += PART) near.next(bytes.subarray(at, at + PART));
    await real.turn();
    let at = FILLING;
    await checkMemory(verdict, async () => {
      for (const end = at + PORTION; at < end; at++) near.next(bytes.subarray(at, at + 1));
      await real.turn();
    });
    model.offered += at;
    real.drainsBefore = undefined;
  },
});

const farFlood = command({
  says: 'the other end sends thousands of single bytes, which wait',
  check: (model) => model.hasClock && model.works && model.used && !model.farEnded && isKept(model),
  async act(model, real) {
    const bytes = numberedBytes('far', model.sent, MOST);
    await real.turn();
    let at = 0;
    await checkMemory(real.verdict, async () => {
      // One in a turn, or they would be joined on their way.
      for (const end = at + PORTION; at < end; at++) {
        real.far?.send(bytes.subarray(at, at + 1));
        await real.turn();
      }
    });
    model.sent += at;
  },
});

/** Whether what arrives now is kept for a reader. */
function isKept(model: Readonly<ConnectionModel>): boolean {
  return !model.flows && model.reader !== 'stuck' && !model.closing && model.unread < 10_000;
}

async function checkMemory(verdict: Verdict, sendPortion: () => Promise<void>): Promise<void> {
  const dear: number[] = [];
  let before = retainedBytes();
  for (let cheap = 0; cheap < CHEAP_PORTIONS; ) {
    await sendPortion();
    const after = retainedBytes();
    const cost = (after - before) / PORTION;
    before = after;
    if (cost <= COST) cheap++;
    else if (dear.push(cost) === DEAR_PORTIONS) {
      return verdict.report(
        LAWS.memory,
        `at most ${COST} bytes for each`,
        `${Math.round(Math.min(...dear))} bytes for each`,
      );
    }
  }
}

/** So many calls take three turns, however fast they are. */
const CALLS = 131_072;
const PIECE = 16;

const pump = command({
  says: `next() with ${CALLS} pieces of ${PIECE} bytes, as fast as drain allows`,
  check: (model) => !model.hasClock && model.works && model.watcher && !model.stalled && !model.completed,
  async act(model, real) {
    const { near, verdict, watcher } = real;
    const turns = new Set<number>();
    let turn = 0;
    let calls = 0;
    const write = () => {
      turns.add(turn);
      while (calls < CALLS && near.next(numberedBytes('near', model.offered + PIECE * calls++, PIECE)));
    };
    const stop = watcher?.onDrain(write);
    write();
    const isDone = await real.eventually(() => {
      turn++;
      return calls === CALLS;
    });
    stop?.();
    model.offered += PIECE * calls;
    real.drainsBefore = undefined;
    if (!isDone) verdict.report(LAWS.writes, `${CALLS} calls of next()`, `${calls} calls: drain did not come`);
    if (turns.size < 3) verdict.report(LAWS.turns, 'at least three turns', `${turns.size}`);
  },
});

/** Generates loads. They are rare, because they take long. */
export function loadCommands(): fc.Arbitrary<SocketCommand>[] {
  return [flood, farFlood, pump, pump].map((load) => fc.constant(load));
}
