// What the other end does: it sends, ends, resets, stalls and reads on.
import fc from 'fast-check';
import type { ConnectionModel } from './connection-model.js';
import { numberedBytes } from './numbered-bytes.js';
import { command, count, type SocketCommand } from './steps.js';

const isThere = (model: Readonly<ConnectionModel>) => model.works && model.used;
const canSend = (model: Readonly<ConnectionModel>) => isThere(model) && !model.farEnded;

const send = (length: number) =>
  command({
    says: `the other end sends ${count(length, 'byte')}`,
    check: canSend,
    act(model, { far }) {
      far?.send(numberedBytes('far', model.sent, length));
      model.sent += length;
    },
  });

const end = command({
  says: 'the other end sends a FIN',
  check: canSend,
  act(model, { far }) {
    model.farEnded = true;
    far?.end();
  },
});

const reset = command({
  says: 'the other end resets the connection',
  check: (model) => model.hasResets && canSend(model),
  act(model, { far }) {
    model.farReset = true;
    far?.reset();
  },
});

const sendAndReset = (length: number) =>
  command({
    says: `the other end sends ${count(length, 'byte')} and resets the connection`,
    check: (model) => model.hasResets && canSend(model),
    act(model, { far }) {
      far?.send(numberedBytes('far', model.sent, length));
      model.sent += length;
      model.farReset = true;
      far?.reset();
    },
  });

const stall = command({
  says: 'the other end stops reading',
  check: (model) => isThere(model) && !model.stalled,
  act(model, { far }) {
    model.stalled = true;
    far?.stall();
  },
});

const resume = command({
  says: 'the other end reads on',
  check: (model) => isThere(model) && model.stalled,
  act(model, { far }) {
    model.stalled = false;
    far?.resume();
  },
});

const readALittle = command({
  says: 'the other end reads for one turn',
  check: (model) => isThere(model) && model.stalled,
  async act(_model, real) {
    real.far?.resume();
    await real.turn();
    real.far?.stall();
  },
});

/** Generates what the other end does. */
export function farCommands(): fc.Arbitrary<SocketCommand>[] {
  const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2000 }), fc.nat(100_000));
  return [
    size.map(send),
    size.map(send),
    fc.constantFrom(end, end, reset),
    size.map(sendAndReset),
    fc.constantFrom(stall, stall, resume, readALittle),
  ];
}
