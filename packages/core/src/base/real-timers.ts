// The turns and the clock of the real event loop. A test may replace the global functions with fake ones: Node's
// sockets do not wait for those, so what keeps pace with them must not either.
const { setImmediate, clearImmediate, setTimeout, clearTimeout, setInterval, performance } = globalThis;

/** The monotonic clock, in milliseconds. */
const monotonicNow = performance.now;

/** Returns the time of the monotonic clock, in milliseconds. */
function realTime(): number {
  return monotonicNow.call(performance);
}

export { clearImmediate, clearTimeout, monotonicNow, performance, realTime, setImmediate, setInterval, setTimeout };
