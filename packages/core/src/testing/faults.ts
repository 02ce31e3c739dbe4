// The faults of a network, in the vocabulary of toxiproxy, and their checks.
import {
  checkCount,
  checkDelay,
  checkFiniteSize,
  checkInteger,
  checkNumber,
  checkObject,
  rangeError,
  typeError,
} from '../base/check.js';

/**
 * The faults of one direction of a connection. The names are those of
 * {@link https://github.com/Shopify/toxiproxy#toxics | toxiproxy}. At most one of `limitData`, `timeout` and
 * `resetPeer` can be used.
 */
export interface NetworkFaults {
  /** How much later bytes, FINs and resets arrive, in milliseconds. @defaultValue 0 */
  readonly latency?: number | undefined;
  /**
   * By how much the latency varies, in milliseconds: it is `latency` ± `jitter`, but never less than 0. Bytes stay in
   * order.
   * @defaultValue 0
   */
  readonly jitter?: number | undefined;
  /** The bandwidth of each direction, in bytes per second. 0 and Infinity mean no limit. @defaultValue 0 */
  readonly bandwidth?: number | undefined;
  /** Cuts the bytes into pieces. Each piece arrives in its own turn. @defaultValue the chunks as they were written */
  readonly slicer?: SlicerOptions | undefined;
  /** How much later a FIN or a reset arrives than the bytes before it, in milliseconds. @defaultValue 0 */
  readonly slowClose?: number | undefined;
  /**
   * How many bytes pass. Then the receiver gets a FIN, and the other bytes are dropped. The other direction continues.
   * @defaultValue Infinity
   */
  readonly limitData?: number | undefined;
  /** Nothing passes any more. @defaultValue never */
  readonly timeout?: TimeoutFaultOptions | undefined;
  /** Both ends get a reset. @defaultValue never */
  readonly resetPeer?: ResetPeerOptions | undefined;
  /**
   * An integer that decides what the random faults do: `jitter`, and the sizes of `slicer`. With the same faults and the
   * same seed, every byte of a connection meets the same fault, however the writer cuts the bytes.
   * @defaultValue 0
   */
  readonly seed?: number | undefined;
}

/** The sizes of pieces: see {@link NetworkFaults.slicer}. One of `averageSize` and `sizes` is needed. */
export interface SlicerOptions {
  /** The average size of a piece, in bytes. */
  readonly averageSize?: number | undefined;
  /** By how much the size varies, in bytes. It must be less than `averageSize`. @defaultValue 0 */
  readonly sizeVariation?: number | undefined;
  /** The sizes, in bytes. They are used one after another, and then from the first again. */
  readonly sizes?: readonly number[] | undefined;
  /** The pause after each piece, in milliseconds. @defaultValue 0 */
  readonly delay?: number | undefined;
}

/** A connection that stops: see {@link NetworkFaults.timeout}. Bytes, FINs and resets of the sender are dropped. */
export interface TimeoutFaultOptions {
  /** How many bytes pass before. @defaultValue 0 */
  readonly bytes?: number | undefined;
  /** How long after that the receiver gets a FIN, in milliseconds. Infinity means never. @defaultValue Infinity */
  readonly delay?: number | undefined;
}

/** A connection that is reset: see {@link NetworkFaults.resetPeer}. */
export interface ResetPeerOptions {
  /** How many bytes pass before. The other bytes are dropped. @defaultValue no limit: `delay` alone decides */
  readonly bytes?: number | undefined;
  /**
   * How long after that both ends get a reset, in milliseconds. Without `bytes`, the time runs from the beginning of the
   * connection, and what is in transit is lost.
   * @defaultValue 0
   */
  readonly delay?: number | undefined;
}

/** Checks all faults. */
export function checkFaults(faults: NetworkFaults): void {
  const { latency = 0, jitter = 0, bandwidth = 0, slowClose = 0, limitData, timeout, resetPeer, seed = 0 } = faults;
  checkDelay('latency', latency);
  checkDelay('jitter', jitter);
  checkNumber('bandwidth', bandwidth, 0, Number.POSITIVE_INFINITY, 'a number of bytes per second, or Infinity');
  if (faults.slicer !== undefined) checkSlicer(faults.slicer);
  checkDelay('slowClose', slowClose);
  if (limitData !== undefined) checkCount('limitData', limitData);
  if (timeout !== undefined) checkEnding('timeout', timeout);
  if (resetPeer !== undefined) checkEnding('resetPeer', resetPeer);
  checkInteger('seed', seed);
  const endings = Object.entries({ limitData, timeout, resetPeer }).filter(([, value]) => value !== undefined);
  if (endings.length <= 1) return;
  const names = endings.map(([name]) => name).join(' and ');
  throw new TypeError(`${names} cannot be used together: leave one of them out`);
}

function checkSlicer(slicer: SlicerOptions): void {
  checkObject('slicer', slicer, 'an object, as in { averageSize: 100 }');
  const { averageSize, sizeVariation = 0, sizes, delay = 0 } = slicer;
  checkDelay('slicer.delay', delay);
  if (sizes !== undefined) {
    checkSizes(sizes);
    if (averageSize === undefined && sizeVariation === 0) return;
    throw new TypeError('slicer.sizes and slicer.averageSize cannot be used together: leave one of them out');
  }
  checkInteger('slicer.averageSize', averageSize, 1, undefined, 'a positive integer, unless there are sizes');
  checkInteger('slicer.sizeVariation', sizeVariation, 0, (averageSize as number) - 1);
}

function checkSizes(sizes: readonly unknown[]): void {
  if (!Array.isArray(sizes)) throw typeError('slicer.sizes', 'an array of positive integers', sizes);
  if (sizes.length === 0) throw rangeError('slicer.sizes', 'an array of positive integers', sizes);
  for (const size of sizes) checkFiniteSize('slicer.sizes', size);
}

function checkEnding(name: 'timeout' | 'resetPeer', fault: TimeoutFaultOptions | ResetPeerOptions): void {
  checkObject(name, fault, 'an object, as in { bytes: 100 }');
  const { bytes = 0, delay = 0 } = fault;
  checkCount(`${name}.bytes`, bytes);
  if (name === 'resetPeer' || delay !== Number.POSITIVE_INFINITY) checkDelay(`${name}.delay`, delay);
}
