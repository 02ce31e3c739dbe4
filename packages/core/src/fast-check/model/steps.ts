// What every command of the model has in common: it says what it does, does it, and compares.
import type fc from 'fast-check';
import type { ConnectionModel } from './connection-model.js';
import type { ModelledConnection } from './modelled-connection.js';

/** A command of {@link socketModel}, for `fc.commands()`. */
export type SocketCommand = fc.AsyncCommand<ConnectionModel, ModelledConnection>;

/** One kind of command. */
export interface Step {
  /** What it does, as a sentence. */
  readonly says: string;
  /** Whether it is possible now. */
  check(model: Readonly<ConnectionModel>): boolean;
  /** Does it, and tells the model. */
  act(model: ConnectionModel, real: ModelledConnection): void | Promise<void>;
}

export function command({ says, check, act }: Step): SocketCommand {
  return {
    check,
    toString: () => says,
    async run(model, real) {
      real.verdict.story.push(says);
      await act(model, real);
      await real.settle(model);
    },
  };
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
