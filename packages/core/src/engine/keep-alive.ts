// The option keepAlive: how the system probes a peer that has been silent.
import net from 'node:net';
import { checkInteger, checkNumber, checkObject } from '../base/check.js';
import { checkSupported } from '../base/node-support.js';
import type { KeepAliveTuning } from './tuning.js';

/**
 * How the system probes a silent peer (SO_KEEPALIVE): the option `keepAlive` of sockets and servers. Linux does not take
 * longer times, or more probes.
 *
 * @see https://nodejs.org/api/net.html#socketsetkeepalive
 *
 * @example
 * ```ts
 * import { connect } from '@rxsock/core';
 *
 * connect({ port: 7000, keepAlive: { delay: 60_000, interval: 10_000, count: 3 } }).subscribe();
 * ```
 */
export interface KeepAliveOptions {
  /**
   * How long the connection may be idle before the first probe, in milliseconds, up to 32,767,000, rounded up to whole
   * seconds. 0 means no probes.
   */
  readonly delay: number;
  /**
   * How long the system waits for an answer before the next probe, in milliseconds, from 1 to 32,767,000, rounded up to
   * whole seconds (TCP_KEEPINTVL). Node 20 and 22 cannot set it.
   * @defaultValue 1,000
   */
  readonly interval?: number | undefined;
  /**
   * How many probes may stay without an answer, from 1 to 127 (TCP_KEEPCNT). Then the connection fails with
   * `ETIMEDOUT`. Node 20 and 22 cannot set it.
   * @defaultValue 10
   */
  readonly count?: number | undefined;
}

// What Linux takes. For anything larger, the system fails, Node does not tell, and the connection keeps hours.
const LONGEST = 32_767_000;
const MOST_PROBES = 127;

/** The versions of Node that can set `interval` and `count` have two more parameters. */
const canSetProbes = net.Socket.prototype.setKeepAlive.length >= 4;

/** Checks the option and returns what to set on a stream. */
export function resolveKeepAlive(keepAlive: number | KeepAliveOptions = 0): KeepAliveTuning {
  const expected = `an object, as in { delay: 60000 }, or a number of milliseconds from 0 to ${LONGEST}`;
  if (typeof keepAlive === 'number') {
    checkNumber('keepAlive', keepAlive, 0, LONGEST, expected);
    return { enable: keepAlive > 0, initialDelay: wholeSeconds(keepAlive) };
  }
  checkObject('keepAlive', keepAlive, expected);
  const { delay, interval, count } = keepAlive;
  checkNumber('keepAlive.delay', delay, 0, LONGEST, `a number of milliseconds from 0 to ${LONGEST}`);
  if (interval !== undefined)
    checkNumber('keepAlive.interval', interval, 1, LONGEST, `a number of milliseconds from 1 to ${LONGEST}`);
  if (count !== undefined) checkInteger('keepAlive.count', count, 1, MOST_PROBES);
  const given = interval === undefined ? count !== undefined && 'count' : 'interval';
  if (given) checkSupported(`keepAlive.${given}`, canSetProbes, '26.4, or a late release of 24');
  return {
    enable: delay > 0,
    initialDelay: wholeSeconds(delay),
    interval: interval === undefined ? undefined : wholeSeconds(interval),
    count,
  };
}

/** Rounds up to whole seconds: the system counts in seconds, and replaces 0 by its own default of hours. */
function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000) * 1000;
}
