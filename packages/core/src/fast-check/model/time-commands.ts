// What time does, on a virtual clock: it passes, and somebody sets the wall clock.
import fc from 'fast-check';
import type { ConnectionModel } from './connection-model.js';
import { LAWS } from './socket-laws.js';
import { command, type SocketCommand } from './steps.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The shortest default limit is 15 s: less than this in all changes nothing. */
const SHORT = 10_000;
/** Longer than any two default limits one after the other. */
const LONG = 10 * MINUTE;

const isWaiting = (model: Readonly<ConnectionModel>) => model.hasClock && model.used && model.works;

const pass = (milliseconds: number) =>
  command({
    says: `${milliseconds} ms pass`,
    check: (model) => isWaiting(model) && model.waited + milliseconds < SHORT,
    act(model, { given }) {
      model.waited += milliseconds;
      given.clock?.tick(milliseconds);
    },
  });

const wait = command({
  says: 'ten minutes pass',
  check: isWaiting,
  async act(model, real) {
    const { isOwned, isUnlimited } = model;
    const before = model.describe();
    // A minute at a time, because the engine may need real turns between two limits.
    for (let passed = 0; passed < LONG; passed += MINUTE) {
      real.given.clock?.tick(MINUTE);
      await real.turn();
    }
    model.waited = 0;
    const isClosed = real.near.readyState === 'closed';
    if (isClosed && !isUnlimited) model.over = 'timeout';
    if (isClosed ? !isUnlimited : isOwned) return;
    real.verdict.report(
      LAWS.clock,
      isOwned ? 'an open connection: the application owns this state' : 'a closed connection: a limit runs here',
      `${real.near.readyState} (${before})`,
    );
  },
});

const setTime = (hours: number) =>
  command({
    says: `the wall clock is set ${hours < 0 ? 'back' : 'forward'} by ${Math.abs(hours)} hours`,
    check: isWaiting,
    act(_model, { given }) {
      if (given.clock) given.clock.setTime(given.clock.now() + hours * HOUR);
    },
  });

/** Generates what time does. */
export function timeCommands(): fc.Arbitrary<SocketCommand>[] {
  return [fc.integer({ min: 1, max: 3000 }).map(pass), fc.constant(wait), fc.constantFrom(-24, -1, 1, 24).map(setTime)];
}
