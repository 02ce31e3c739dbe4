// What a replay does, one act after another. The seeds decide, and nothing else: the same seed gives the same plan.
import { SocketError } from '../base/errors.js';
import type { Conversation, Step } from '../pcapng/conversations.js';
import type { Sender } from '../pcapng/flags.js';
import { randomAt } from './random.js';
import type { ResolvedReplayOptions } from './replay-options.js';

/** The longest piece that a seed makes is 2 to this power, in bytes. */
const LONGEST_PIECE = 14;
/** The longest pause that a seed makes, in milliseconds. */
const LONGEST_PAUSE = 10;

/** One act of the side that is played. */
export interface Act {
  /** How many bytes must have arrived before. */
  readonly after: number;
  /** Whether the other side's FIN must have arrived before. */
  readonly afterEnd: boolean;
  /** How long to wait then, in milliseconds. */
  readonly pause: number;
  readonly send: Buffer | 'fin' | 'reset';
}

/** @throws SocketError `ERR_REPLAY_INCOMPLETE` if bytes of the side are not in the capture. */
export function planOf({ begunAt, steps }: Conversation, options: ResolvedReplayOptions): Act[] {
  const { side, chunking, timing } = options;
  const acts: Act[] = [];
  let after = 0;
  let afterEnd = false;
  let before = begunAt;
  for (const step of steps) {
    const { from, sent, time } = step;
    if (from !== side) {
      after = step.total;
      afterEnd ||= sent === 'fin';
    } else {
      checkWhole(step, side);
      acts.push({ after, afterEnd, pause: Math.max(0, time - before), send: isEnd(sent) ? sent : Buffer.concat(sent) });
    }
    before = time;
  }
  const joined = chunking === 'recorded' || timing === 'recorded' ? acts : join(acts);
  const cut = chunking === 'recorded' ? joined : cutAt(joined, chunking.seed);
  return cut.map((act, index) => ({ ...act, pause: pauseOf(act, index, timing) }));
}

const isEnd = (sent: Step['sent']): sent is 'fin' | 'reset' => typeof sent === 'string';

function checkWhole({ lacking, total, sent }: Step, side: Sender): void {
  if (lacking === 0) return;
  const length = isEnd(sent) ? 0 : sent.reduce((sum, { length }) => sum + length, 0);
  throw new SocketError(
    `The capture lacks ${lacking} bytes that the ${side} sent after its first ${total - length - lacking}`,
    { code: 'ERR_REPLAY_INCOMPLETE', phase: 'open' },
  );
}

/** Joins what is sent without waiting for bytes in between, as a network may. */
function join(acts: readonly Act[]): Act[] {
  const joined: Act[] = [];
  for (const act of acts) {
    const last = joined.at(-1);
    const isSame = last && last.after === act.after && last.afterEnd === act.afterEnd;
    if (isSame && typeof last.send !== 'string' && typeof act.send !== 'string')
      joined[joined.length - 1] = { ...last, send: Buffer.concat([last.send, act.send]) };
    else joined.push(act);
  }
  return joined;
}

/** Cuts into pieces: many of them short, some of them long. */
function cutAt(acts: readonly Act[], seed: number): Act[] {
  let pieces = 0;
  return acts.flatMap((act) => {
    const { send } = act;
    if (typeof send === 'string') return [act];
    const cut: Act[] = [];
    for (let at = 0; at < send.length; ) {
      const length = Math.floor(2 ** (LONGEST_PIECE * randomAt(seed, pieces++)));
      cut.push({ ...act, pause: at === 0 ? act.pause : 0, send: send.subarray(at, at + length) });
      at += length;
    }
    return cut;
  });
}

function pauseOf({ pause }: Act, index: number, timing: ResolvedReplayOptions['timing']): number {
  if (timing === 'recorded') return pause;
  if (timing === 'immediate' || randomAt(timing.seed, index, 0) < 0.5) return 0;
  return LONGEST_PAUSE * randomAt(timing.seed, index, 1);
}
