// The connection that socketModel() checks unless it is given another one: in memory, on virtual time.
import { socketPair } from '../../testing/socket-pair.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import type { ConnectionUnderTest } from './connection-under-test.js';
import { farEnd } from './far-end.js';

/** The other end waits for ever, so that only the limits of this side are seen. */
const PATIENT = { halfOpenTimeout: 0, finTimeout: 0, lingerTimeout: 0, keepOpen: true };

export function memoryConnection(): ConnectionUnderTest {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const { signal } = controller;
  const [near, far] = socketPair({ scheduler: clock, signal }, { ...PATIENT, signal: new AbortController().signal });
  return { near, far: farEnd(far), clock, abort: (reason) => controller.abort(reason) };
}
