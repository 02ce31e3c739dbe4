// socketModel(): commands for fast-check that do to a connection what applications, peers and time do, and compare it
// with a model.
import fc from 'fast-check';
import { ConnectionModel } from './model/connection-model.js';
import type { ConnectionUnderTest } from './model/connection-under-test.js';
import { decisions } from './model/decisions.js';
import { farCommands } from './model/far-commands.js';
import { finish } from './model/finish.js';
import { loadCommands } from './model/load-commands.js';
import { memoryConnection } from './model/memory-connection.js';
import { ModelledConnection } from './model/modelled-connection.js';
import { nearCommands } from './model/near-commands.js';
import type { SocketCommand } from './model/steps.js';
import { timeCommands } from './model/time-commands.js';

/** What {@link socketModel} generates, and how it runs. */
export interface SocketModel {
  /** Generates a sequence of commands. Each says in a sentence what it does. */
  readonly commands: fc.Arbitrary<SocketCommand[]>;
  /**
   * Runs commands on a new connection, and compares the two after each. At the end everybody leaves, and nothing may be
   * left behind. Commands that are not possible at their place are skipped.
   *
   * @throws As a rejection: Error if the connection breaks a law. The message names the law and tells the story: what
   * was done, what was expected and what was received.
   */
  run(commands: Iterable<SocketCommand>): Promise<void>;
}

/** How many commands a run has at most. */
const LONGEST = 30;

/**
 * Returns commands for property-based tests of a connection: of a transport of your own, of a wrapper around a socket,
 * or of this library itself. The commands do what applications do (read, leave, come back, give bytes back, hold,
 * write, complete, abort, close), what peers do (send, end, reset, stall) and what time does. After each command the
 * connection is compared with a model, which knows the laws of sockets:
 *
 * - **Content**: every byte arrives once, unchanged and in order, at whichever reader comes next.
 * - **Whole**: an end is told only after all bytes, and only if the other end has sent its FIN.
 * - **Held**: nothing is delivered while somebody holds, and little is read ahead.
 * - **Decisions**: an abort reaches every subscriber at once, also one whose consumer is stuck.
 * - **Leaving**: a reader that has left receives nothing more. The last one that leaves closes the socket.
 * - **Writes**: `next()`, `write()` and `drain` say what became of the bytes.
 * - **Clock**: a connection that waits is closed by a limit, except in the states that the application owns.
 * - **Nothing left**: a closed connection keeps no timer and no hold.
 *
 * It needs the optional peer dependency `fast-check`, version 4. Most users want {@link verifyTransport}.
 *
 * @param open Opens a new connection for each run.
 * @defaultValue `open`: a connection in memory, on virtual time
 *
 * @example
 * ```ts
 * import { socketModel } from '@rxsock/core/fast-check';
 * import fc from 'fast-check';
 *
 * const model = socketModel();
 * await fc.assert(fc.asyncProperty(model.commands, (commands) => model.run(commands)));
 * ```
 */
export function socketModel(
  open: () => ConnectionUnderTest | Promise<ConnectionUnderTest> = memoryConnection,
): SocketModel {
  const light = [...nearCommands(), ...decisions(), ...farCommands(), ...timeCommands()];
  const command = fc.oneof({ weight: 120, arbitrary: fc.oneof(...light) }, ...loadCommands());
  return {
    commands: fc.array(command, { maxLength: LONGEST, size: 'max' }),
    async run(commands) {
      const given = await open();
      const model = new ConnectionModel(given);
      const real = new ModelledConnection(given);
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands);
        await finish(model, real);
      } finally {
        given.near.error(new Error('the run is over'));
        await given.close?.();
      }
    },
  };
}
