// What the application does: it reads, holds, writes, ends and aborts.
import fc from 'fast-check';
import { reader as readerOf } from '../../reader/reader.js';
import type { ConnectionModel } from './connection-model.js';
import { numberedBytes } from './numbered-bytes.js';
import { SHORT } from './pieces-codec.js';
import { checkContent, READER_KINDS, type ReaderKind, Taker } from './readers.js';
import { LAWS } from './socket-laws.js';
import { command, count, type SocketCommand } from './steps.js';

type Model = Readonly<ConnectionModel>;

const isLate = (model: Model) => model.over === 'whole' && !model.dropping;
const mayRead = (model: Model) =>
  model.reader === undefined && (isLate(model) || (model.over === undefined && !model.closing));
const SAYS: Record<ReaderKind, string> = {
  events: 'a reader of events subscribes',
  bytes: 'a reader of bytes subscribes',
  frames: 'a reader of frames subscribes',
  stuck: 'a reader of frames subscribes whose consumer never finishes with the first',
};

const read = (kind: ReaderKind) =>
  command({
    says: SAYS[kind],
    check: mayRead,
    act(model, real) {
      model.used = true;
      real.read(model, kind);
    },
  });

const leave = command({
  says: 'the reader leaves',
  check: (model) => model.reader !== undefined && !model.over,
  act: (model, real) => real.leave(model),
});

const comeBack = (kind: ReaderKind) =>
  command({
    says: `the reader leaves; in the same turn ${SAYS[kind]}`,
    check: (model) => model.reader !== undefined && !model.over && !model.closing,
    act(model, real) {
      real.leave(model);
      // Without a reader, a connection that both ends have ended closes at once, and what waits is for the next reader.
      real.followClose(model);
      real.read(model, kind);
    },
  });

const takeFrames = (frames: number) =>
  command({
    says: `a reader takes ${count(frames, 'frame')} and leaves`,
    check: (model) =>
      mayRead(model) && model.used && model.holds === 0 && !model.farReset && model.unread >= SHORT * frames,
    async act(model, real) {
      const taker = new Taker(real.near, frames, model.position, real.verdict);
      if (!(await real.eventually(() => taker.done)))
        real.verdict.report(LAWS.delivered, count(frames, 'frame'), `${taker.bytes} bytes`);
      model.position += taker.bytes;
      model.left = true;
    },
  });

const readInAndOut = (length: number) =>
  command({
    says: `reader() reads ${count(length, 'byte')} and is released`,
    check: (model) => mayRead(model) && model.used && model.holds === 0 && !model.farReset && model.unread >= length,
    async act(model, real) {
      const reader = readerOf(real.near);
      let result: Buffer | undefined;
      const settled = reader.read(length).then((bytes) => {
        result = bytes;
      });
      settled.catch(() => {});
      await real.eventually(() => result !== undefined);
      reader.release();
      if (!result) return real.verdict.report(LAWS.delivered, count(length, 'byte'), 'nothing');
      checkContent(real.verdict, model.position, result);
      model.position += length;
      model.left = true;
    },
  });

const unshift = (length: number) =>
  command({
    says: `${count(length, 'byte')} are given back by unshift()`,
    check: (model) => mayRead(model) && model.used && !model.farReset && model.position >= length,
    act(model, { near }) {
      model.position -= length;
      model.givenBack += length;
      near.unshift(numberedBytes('far', model.position, length));
      // The end comes again, after these bytes.
      if (!model.over) model.endDelivered = false;
    },
  });

const watch = command({
  says: 'a watcher subscribes',
  check: (model) => !model.watcher && !model.over && !model.closing,
  act(model, real) {
    model.used = true;
    model.watcher = true;
    real.watch();
  },
});

const unwatch = command({
  says: 'the watcher leaves',
  check: (model) => model.watcher && !model.over,
  act(model, real) {
    model.watcher = false;
    model.left = true;
    real.unwatch();
  },
});

const hold = command({
  says: 'the application holds',
  check: (model) => model.works && !model.closing && model.holds < 3,
  act(model, real) {
    model.holds++;
    real.hold();
  },
});

const release = command({
  says: 'the application releases a hold',
  check: (model) => model.holds > 0,
  act(model, real) {
    model.holds--;
    real.release();
  },
});

const canWrite = (model: Model) => model.works && !model.completed;

const writeNext = (length: number) =>
  command({
    says: `next() with ${count(length, 'byte')}`,
    check: (model) => canWrite(model) && model.used,
    act(model, real) {
      const { drains } = real;
      const hasRoom = real.near.next(numberedBytes('near', model.offered, length));
      model.offered += length;
      if (!hasRoom && drains !== undefined) real.drainsBefore ??= drains;
    },
  });

const writePromises = (times: number, length: number) =>
  command({
    says: `${times === 1 ? '' : `${times} times `}write() with ${count(length, 'byte')}`,
    check: canWrite,
    act(model, real) {
      model.used = true;
      for (let time = 0; time < times; time++) {
        real.write(numberedBytes('near', model.offered, length));
        model.offered += length;
      }
    },
  });

const complete = command({
  says: 'complete()',
  check: canWrite,
  act(model, { near }) {
    model.used = true;
    model.completed = true;
    near.complete();
  },
});

const allowHalfOpen = command({
  says: 'allowHalfOpen = true',
  check: (model) => model.works && !model.farEnded && !model.allowHalfOpen,
  act(model, { near }) {
    model.allowHalfOpen = true;
    near.allowHalfOpen = true;
  },
});

const close = command({
  says: 'close()',
  check: (model) => model.works && model.used && !model.closing,
  act(model, real) {
    model.close();
    real.close();
  },
});

/** Generates what the application does. */
export function nearCommands(): fc.Arbitrary<SocketCommand>[] {
  const kinds = fc.constantFrom(...READER_KINDS);
  const size = fc.oneof(fc.nat(20), fc.nat(2000), fc.nat(100_000));
  return [
    kinds.map(read),
    fc.constantFrom(leave, watch, unwatch),
    kinds.map(comeBack),
    fc.integer({ min: 1, max: 5 }).map(takeFrames),
    fc.integer({ min: 1, max: 50 }).map(readInAndOut),
    fc.integer({ min: 1, max: 50 }).map(unshift),
    fc.constantFrom(hold, release),
    size.map(writeNext),
    fc.tuple(fc.integer({ min: 1, max: 4 }), size).map(([times, length]) => writePromises(times, length)),
    fc.constantFrom(complete, allowHalfOpen, close),
  ];
}
