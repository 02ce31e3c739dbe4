// The entry point @rxsock/core/metrics: the sockets of this process as OpenTelemetry metrics.

export { instrument } from './instrument.js';
export type { Attributes, BatchResult, Counter, Histogram, InstrumentOptions, Meter } from './meter.js';
