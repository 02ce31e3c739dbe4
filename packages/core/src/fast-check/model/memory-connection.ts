// The connection that socketModel() checks unless it is given another one: in memory, on virtual time.
import { fromDuplex } from '../../streams/from-duplex.js';
import { duplexPair } from '../../testing/memory-duplex.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import type { ConnectionUnderTest } from './connection-under-test.js';
import { farEnd } from './far-end.js';

/** The other end waits for ever, so that only the limits of this side are seen. */
const PATIENT = { halfOpenTimeout: 0, finTimeout: 0, lingerTimeout: 0, keepOpen: true };

export function memoryConnection(): ConnectionUnderTest {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const [nearStream, farStream] = duplexPair({ scheduler: clock, window: 65_536, faults: [{}, {}] });
  return {
    near: fromDuplex(nearStream, { scheduler: clock, signal: controller.signal }),
    far: farEnd(fromDuplex(farStream, { scheduler: clock, ...PATIENT })),
    clock,
    abort: (reason) => controller.abort(reason),
  };
}
