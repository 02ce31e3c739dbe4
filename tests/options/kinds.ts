// The kinds of options: which values each kind takes, and which it refuses.
import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';

/** What an option takes. */
export interface Kind {
  readonly good: readonly unknown[];
  readonly bad: readonly unknown[];
  /** An option without which the call throws: `undefined` is not among the good values. */
  readonly required?: boolean;
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

/** Every value that is not a number. */
const notNumbers = ['', '1', 'unknown', null, true, {}, [], 1n];
/** Every value that is neither a string nor a number. */
const notNames = [null, true, {}, [], () => 1];
/** Every value that is not an object of some class. */
const notObjects = ['', 'unknown', null, 0, 1, nan, true, () => 1];

/** The same kind for an option that must be given. */
export const required = (kind: Kind): Kind => ({ ...kind, bad: [undefined, ...kind.bad], required: true });

/** The same kind, with other values that it takes or refuses too. */
export const also = (kind: Kind, { good = [], bad = [] }: { good?: unknown[]; bad?: unknown[] }): Kind => ({
  ...kind,
  good: [...kind.good, ...good],
  bad: [...kind.bad.filter((value) => !good.includes(value)), ...bad],
});

/** -0 is refused, unless the option takes negative numbers. Node's native code aborts the process for some of them. */
const negativeZero = (good: readonly unknown[]): number[] => (good.some((value) => Object.is(value, -0)) ? [] : [-0]);

const number = (good: number[], bad: number[]): Kind => ({
  good,
  bad: [...bad, ...negativeZero(good), nan, -infinity, ...notNumbers],
});

/** A time limit in milliseconds: 0 and Infinity have a meaning. */
export const timeout = number([0, 0.5, 1, 2 ** 40, infinity], [-1]);
/** A delay in milliseconds: a timer must be able to wait for it. */
export const delay = number([0, 0.5, 1, 2 ** 31 - 1], [-1, 2 ** 31, infinity]);
/** The same for a time that must pass. */
export const duration = number([0.5, 1, 2 ** 31 - 1], [0, -1, 2 ** 31, infinity]);
/** A limit of bytes or of things: none is refused, Infinity is no limit. */
export const size = number([1, 2 ** 40, infinity], [0, -1, 1.5]);
/** A size that must be finite. */
export const finiteSize = number([1, 65_536], [0, -1, 1.5, infinity]);
/** A number of things that may be none. */
export const count = number([0, 1, infinity], [-1, 1.5]);
/** A place in a file or in a frame. */
export const position = number([0, 1], [-1, 1.5, infinity]);
/** Any integer. */
export const integer = number([-1, -0, 0, 1], [0.5, infinity]);
/** An integer of a range. */
export const range = (least: number, most: number): Kind => number([least, most], [least - 1, most + 1, least + 0.5]);
/** A number of a range, fractions included. */
export const fraction = (least: number, most: number): Kind =>
  number([least, most], [least - 0.5, ...(most === infinity ? [] : [most + 0.5])]);
/** A number of bytes per second. */
export const rate = fraction(0, infinity);
/** A number of bytes per second that must be finite. */
export const bytesPerSecond = number([0, 0.5, 240], [-1, infinity]);

export const port = range(0, 65_535);
export const peerPort = range(1, 65_535);
/** The number of a port or the name of a service. */
export const portOrService: Kind = {
  good: [0, 80, 65_535, 'smtp'],
  bad: [...port.bad, '80', 'a b'].filter((value) => value !== 'unknown'),
};

export const flag: Kind = { good: [true, false], bad: ['', 'true', 'unknown', null, 0, 1, nan, {}, [], () => true] };
export const choice = (...good: readonly (string | number)[]): Kind => ({
  good,
  bad: [
    '',
    'unknown',
    null,
    nan,
    -1,
    -0,
    true,
    {},
    [...good],
    ...good.map((value) => (typeof value === 'number' ? `${value}` : `${value} `)),
  ],
});
export const family = choice(0, 4, 6);
export const overflow = choice('error', 'dropOldest', 'dropNewest');
export const callback: Kind = { good: [() => undefined], bad: ['', 'unknown', null, 0, 1, nan, true, {}, []] };
export const signal: Kind = {
  good: [new AbortController().signal, AbortSignal.abort()],
  bad: [...notObjects, {}, [], new AbortController()],
};
export const scheduler: Kind = {
  good: [asyncScheduler, new VirtualTimeScheduler()],
  bad: [...notObjects, {}, [], { schedule: () => {} }, { now: () => 0 }],
};
/** A string that is not empty. */
export const text: Kind = { good: ['a'], bad: ['', 0, 1, nan, 'a\0b', ...notNames] };
/** The name or the address of a host. */
export const host: Kind = also(text, {
  good: ['localhost', '127.0.0.1', '::1', '[::1]', 'münchen.test'],
  bad: ['ü/x'],
});
export const address: Kind = { good: ['127.0.0.1', '::1'], bad: [...text.bad, 'unknown', '1.2.3'] };
/** A list of strings that are not empty. */
export const names: Kind = { good: [['a'], ['a', 'b']], bad: ['', 'a', null, 0, nan, true, {}, [''], [1], [null]] };
/** An object whose properties have rows of their own. */
export const object = (...good: readonly object[]): Kind => ({ good, bad: [...notObjects, []] });
/** An object that must be made by something. */
export const instance = (good: object): Kind => ({ good: [good], bad: [...notObjects, {}, []] });
/** No value but `undefined`. */
export const never: Kind = { good: [], bad: [] };
