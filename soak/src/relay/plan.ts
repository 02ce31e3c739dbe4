// What happens in one conversation of `relay`. The client sends the plan in its first line, so that both ends know what
// must arrive.
import type { Random } from '../random.js';

/**
 * `echo`: everything comes back. `upload`: the origin answers after the client's FIN. `download`: the client ends first,
 * and the origin sends. `answerFirst`: the origin answers and ends first, and the client goes on sending.
 */
type Kind = 'echo' | 'upload' | 'download' | 'answerFirst';

/**
 * `clientWrite`: what the client sends fails. `clientLeave`: the client leaves before it has everything. `originWrite`:
 * what the origin sends fails. `cut`: the relay fails after `after` milliseconds, if it is not done by then.
 */
export type Fault = 'none' | 'clientWrite' | 'clientLeave' | 'originWrite' | 'cut';

/** `stalls` now and then stops reading for a while. `slow` waits after every chunk. */
export type Pace = 'fast' | 'stalls' | 'slow';

export interface Plan {
  /** The number of the conversation, which decides its bytes. */
  readonly id: number;
  readonly kind: Kind;
  /** How many bytes the client sends after its first line. */
  readonly up: number;
  /** How many bytes the origin sends. */
  readonly down: number;
  readonly fault: Fault;
  /** After how many bytes the fault comes: fewer than the whole. */
  readonly faultAt: number;
  readonly clientPace: Pace;
  readonly originPace: Pace;
}

/** A third of the conversations gets a fault. */
const FAULTS: readonly Fault[] = ['clientWrite', 'clientLeave', 'originWrite', 'cut'];
const KINDS: readonly Kind[] = ['echo', 'echo', 'upload', 'download', 'answerFirst'];
/** How many bytes an `upload` and an `answerFirst` answer with. */
const ANSWER = 1_000;

export function makePlan(id: number, random: Random, largest: number): Plan {
  const kind = random.pick(KINDS);
  const size = random.size(1, largest);
  const up = kind === 'download' ? 0 : size;
  const down = kind === 'echo' || kind === 'download' ? size : ANSWER;
  const wanted = random.chance(1 / 3) ? random.pick(FAULTS) : 'none';
  // Nothing to send that could fail.
  const fault = wanted === 'clientWrite' && up === 0 ? 'none' : wanted;
  const total = fault === 'clientWrite' ? up : down;
  return {
    id,
    kind,
    up,
    down,
    fault,
    faultAt: random.integer(0, total - 1),
    clientPace: random.chance(0.3) ? random.pick(['stalls', 'slow'] as const) : 'fast',
    originPace: random.chance(0.3) ? random.pick(['stalls', 'slow'] as const) : 'fast',
  };
}

/** The stream of bytes that the client sends. */
export const upStream = ({ id }: Plan): number => 2 * id;

/** The stream of bytes that the origin sends. */
export const downStream = ({ id, kind }: Plan): number => (kind === 'echo' ? 2 * id : 2 * id + 1);
