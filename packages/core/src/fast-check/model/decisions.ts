// What this side decides at once: it aborts the connection, in every phase.
import fc from 'fast-check';
import { ignoreElements, lastValueFrom, takeWhile } from 'rxjs';
import type { ReadyState } from '../../engine/connection-machine.js';
import type { Socket } from '../../socket.js';
import type { ConnectionModel } from './connection-model.js';
import type { ModelledConnection } from './modelled-connection.js';
import { numberedBytes } from './numbered-bytes.js';
import { command, count, type SocketCommand } from './steps.js';

type Decide = (real: ModelledConnection) => void;

const REASON = 'the model aborts';
const abort: Decide = ({ near }) => near.error(new Error(REASON));
const closeAtOnce: Decide = ({ near }) => void near.close({ timeout: 0 });
const signal: Decide = ({ given }) => given.abort?.(new Error(REASON));
const drain: Decide = ({ given }) => given.drain?.();

const decision = (
  says: string,
  decide: Decide,
  isPossible: (model: Readonly<ConnectionModel>) => boolean = () => true,
) =>
  command({
    says,
    check: (model) => model.used && model.over === undefined && isPossible(model),
    act(model, real) {
      model.over = 'aborted';
      decide(real);
    },
  });

/** The phases of a dial in which it is aborted. */
const PHASES: Record<string, (real: ModelledConnection) => Promise<void> | void> = {
  'at once': () => {},
  'while it connects': ({ near }) => inState(near, 'connecting'),
  'in the tick after it began to connect': async ({ near }) => {
    await inState(near, 'connecting');
    await new Promise<void>((resolve) => process.nextTick(resolve));
  },
  'in the next turn': (real) => real.turn(),
  'when it is open': ({ near }) => inState(near, 'open'),
};

const whileDialling = (phase: string, bytes: number) =>
  command({
    says: `it dials, writes ${count(bytes, 'byte')}, and aborts ${phase}`,
    check: (model) => model.dials && !model.used,
    async act(model, real) {
      model.used = true;
      model.watcher = true;
      real.watch();
      if (bytes > 0) real.near.next(numberedBytes('near', 0, bytes));
      model.offered = bytes;
      await PHASES[phase]?.(real);
      model.over = 'aborted';
      abort(real);
    },
  });

/** Resolves when the socket is in this state, or past it. */
function inState(socket: Socket, state: ReadyState): Promise<void> {
  return lastValueFrom(
    socket.readyStates.pipe(
      takeWhile((now) => now !== state && now !== 'open'),
      ignoreElements(),
    ),
    {
      defaultValue: undefined,
    },
  );
}

/** Generates aborts. */
export function decisions(): fc.Arbitrary<SocketCommand>[] {
  return [
    fc.constantFrom(
      decision('error()', abort),
      decision('close({ timeout: 0 })', closeAtOnce),
      decision('the signal aborts', signal, (model) => model.hasSignal),
      decision('the server closes, with a drain of 0', drain, (model) => model.hasDrain),
    ),
    fc
      .tuple(fc.constantFrom(...Object.keys(PHASES)), fc.constantFrom(0, 0, 10))
      .map(([phase, bytes]) => whileDialling(phase, bytes)),
  ];
}
