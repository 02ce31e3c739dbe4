// The parts of an OpenTelemetry Meter that are used. Types of our own, so that nobody must install @opentelemetry/api.

/** What a measurement is about: a few values each, so that a backend can keep a series for every combination. */
export type Attributes = Readonly<Record<string, string>>;

/** The options of an instrument. */
export interface InstrumentOptions {
  readonly description: string;
  /** In UCUM: `s`, `By`, `{socket}`. */
  readonly unit: string;
  readonly advice?: { readonly explicitBucketBoundaries?: number[] };
}

/** A counter that `add` makes grow. */
export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

/** A distribution of values. */
export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

/** What the callback of observable instruments reports to. */
export interface BatchResult {
  // biome-ignore lint/suspicious/noExplicitAny: the instruments of the API, which are not used otherwise
  observe(instrument: any, value: number, attributes?: Attributes): void;
}

/** A `Meter` of `@opentelemetry/api`, as far as {@link instrument} uses it. */
export interface Meter {
  createCounter(name: string, options: InstrumentOptions): Counter;
  createHistogram(name: string, options: InstrumentOptions): Histogram;
  createObservableCounter(name: string, options: InstrumentOptions): object;
  createObservableUpDownCounter(name: string, options: InstrumentOptions): object;
  createObservableGauge(name: string, options: InstrumentOptions): object;
  // biome-ignore lint/suspicious/noExplicitAny: the instruments of the API, which are not used otherwise
  addBatchObservableCallback(callback: (result: BatchResult) => void, instruments: any[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: the instruments of the API, which are not used otherwise
  removeBatchObservableCallback(callback: (result: BatchResult) => void, instruments: any[]): void;
}
