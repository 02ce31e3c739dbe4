// The argument checks of all packages. A wrong type and an unknown string throw a TypeError, and a number out of range,
// NaN included, throws a RangeError. The checks refuse `undefined` too: the caller fills in the default first.
import { isIP } from 'node:net';
import { inspect, types } from 'node:util';
import { describeOtherCopy } from './copy.js';
import { LONGEST_TIMER } from './deadline.js';

/** The properties of `T` with every default filled in. */
export type WithDefaults<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

const LARGEST_PORT = 65_535;
const LARGEST_DESCRIPTOR = 2_147_483_647;
const LARGEST_BACKLOG = 2_147_483_647;

/**
 * Checks that the options are an object, and not an array.
 * @param example An object literal with one option, for the message.
 */
export function checkOptions(options: unknown, example = '{ name: value }'): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw typeError('The options', `an object, as in ${example}`, options);
}

/**
 * Checks a time limit in milliseconds: 0 or more, or Infinity. The option defines what 0 means.
 * @param otherwise The beginning of the message: what else the option accepts, for example `'true, false or '`.
 */
export function checkTimeout(name: string, value: unknown, otherwise = ''): void {
  const expected = `${otherwise}a number of milliseconds, 0 or more, or Infinity`;
  checkNumber(name, value, 0, Number.POSITIVE_INFINITY, expected);
}

/** Checks a delay in milliseconds: at most the longest that a timer can wait. */
export function checkDelay(name: string, value: unknown): void {
  checkNumber(name, value, 0, LONGEST_TIMER, `a number of milliseconds from 0 to ${LONGEST_TIMER}`);
}

/** Checks a limit on a number of bytes or other things: a positive integer, or Infinity for no limit. */
export function checkSize<T>(name: string, value: T): T {
  if (value === Number.POSITIVE_INFINITY) return value;
  return checkInteger(name, value, 1, undefined, 'a positive integer or Infinity');
}

/** Checks a size that must be finite: a positive integer. */
export function checkFiniteSize(name: string, value: unknown): void {
  checkInteger(name, value, 1, undefined, 'a positive integer');
}

/** Checks a number that may be 0: an integer from 0 up, or Infinity for no limit. */
export function checkCount(name: string, value: unknown): void {
  if (value !== Number.POSITIVE_INFINITY) checkInteger(name, value, 0, undefined, 'an integer, 0 or more, or Infinity');
}

/** Checks an integer from `least` to `most`. */
export function checkInteger<T>(
  name: string,
  value: T,
  least: number = Number.MIN_SAFE_INTEGER,
  most: number = Number.MAX_SAFE_INTEGER,
  expected?: string,
): T {
  if (Number.isSafeInteger(value) && isWithin(value as number, least, most)) return value;
  // Described only now: every read of a reader() is checked.
  const described = expected ?? describeRange('an integer', least, most);
  checkNumber(name, value, least, most, described);
  throw rangeError(name, described, value);
}

/**
 * Checks a number from `least` to `most`. Fractions are allowed. -0 counts as less than 0: some native code of Node
 * aborts the process for it.
 */
export function checkNumber(
  name: string,
  value: unknown,
  least: number,
  most: number,
  expected: string = describeRange('a number', least, most),
): void {
  if (typeof value !== 'number') throw typeError(name, expected, value);
  if (!isWithin(value, least, most)) throw rangeError(name, expected, value);
}

function isWithin(value: number, least: number, most: number): boolean {
  const isBelow = Object.is(value, -0) && least >= 0;
  return !isBelow && value >= least && value <= most;
}

function describeRange(noun: string, least: number, most: number): string {
  if (most < Number.MAX_SAFE_INTEGER) return `${noun} from ${least} to ${most}`;
  return least > Number.MIN_SAFE_INTEGER ? `${noun}, ${least} or more` : noun;
}

/** Checks a port number. `least` is 1 where 0, any free port, makes no sense. */
export function checkPort(name: string, value: unknown, least: 0 | 1 = 0, expected?: string): void {
  checkInteger(name, value, least, LARGEST_PORT, expected);
}

/** Checks an IPv4 or IPv6 address. */
export function checkAddress(name: string, value: unknown): void {
  if (typeof value === 'string' && isIP(value)) return;
  throw typeError(name, 'an IPv4 or IPv6 address', value);
}

/**
 * Checks the backlog: how many connections may wait to be accepted. Returns it, or the largest number that the system
 * accepts if the backlog is larger.
 */
export function backlogOf(backlog = 511): number {
  checkSize('backlog', backlog);
  return Math.min(backlog, LARGEST_BACKLOG);
}

/** Checks a file descriptor. */
export function checkDescriptor(name: string, value: unknown): void {
  checkInteger(name, value, 0, LARGEST_DESCRIPTOR, 'a file descriptor, an integer from 0 up');
}

/** Checks an address family. 0 means either. */
export function checkFamily(name: string, value: unknown): void {
  checkOneOf<unknown>(name, value, [0, 4, 6]);
}

/** Checks one of a few strings or numbers. */
export function checkOneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  // Not includes(), which takes -0 for 0.
  if (allowed.some((each) => Object.is(each, value))) return value;
  const expected = `one of ${allowed.map((each) => inspect(each)).join(', ')}`;
  const isNumber = typeof value === 'number' && allowed.some((each) => typeof each === 'number');
  throw isNumber ? rangeError(name, expected, value) : typeError(name, expected, value);
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw typeError(name, 'true or false', value);
}

export function checkFunction(name: string, value: unknown, what = 'a function'): void {
  if (typeof value !== 'function') throw typeError(name, what, value);
}

/** Checks a string that is not empty and has no NUL, where the system would end it. */
export function checkString(name: string, value: unknown, what = 'a string that is not empty'): void {
  if (typeof value !== 'string' || value === '') throw typeError(name, what, value);
  if (value.includes('\0')) throw typeError(name, 'a string without NUL characters', value);
}

/** Checks an array of strings that are not empty. */
export function checkStrings(name: string, value: unknown, what = 'an array of strings that are not empty'): void {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '')) return;
  throw typeError(name, what, value);
}

export function checkSignal(name: string, value: unknown): void {
  // Not instanceof: the signal may come from another realm, or from a polyfill.
  const signal = value as Partial<AbortSignal> | null | undefined;
  if (
    typeof signal === 'object' &&
    typeof signal?.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function'
  )
    return;
  throw typeError(name, 'an AbortSignal', value);
}

export function checkScheduler(name: string, value: unknown): void {
  const scheduler = value as { readonly schedule?: unknown; readonly now?: unknown } | null | undefined;
  if (typeof scheduler?.schedule === 'function' && typeof scheduler.now === 'function') return;
  throw typeError(name, 'an RxJS scheduler, with schedule() and now()', value);
}

export function checkBytes(name: string, value: unknown): void {
  if (!types.isUint8Array(value)) throw typeError(name, 'a Uint8Array', value);
}

/** Checks an object that is not an array. */
export function checkObject(name: string, value: unknown, what = 'an object'): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw typeError(name, what, value);
}

export function typeError(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(refusal(name, expected, value));
}

export function rangeError(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(refusal(name, expected, value));
}

function refusal(name: string, expected: string, value: unknown): string {
  const other = describeOtherCopy(value);
  return `${name} must be ${expected}, not ${inspect(value, { depth: 0 })}${other ? `. ${other}` : ''}`;
}
