// How every operator and creation function of RxJS behaves under backpressure. The data are used by the tests of
// operators and by the table in the guide.
import * as rx from 'rxjs';

/**
 * - `passes through`: a hold reaches every source, the inner ones too. The operator keeps only what its purpose
 *  requires.
 * - `time-shifting`: the same, but values taken before the hold may be emitted during it. The bound is rate × delay.
 * - `queues by itself`: the same, but values queue inside the operator. No consumer sees them, so nothing is held.
 * - `breaks the chain: found by lift`: behind a Subject. The source is held as a whole, with all its subscriptions.
 * - `breaks the chain: pass { flow }`: nothing is found. Pass the consumer the flow to hold.
 * - `cannot be held`: emits values that cannot be stopped. The consumer's overflow policy applies.
 */
export type FlowClass =
  | 'passes through'
  | 'time-shifting'
  | 'queues by itself'
  | 'breaks the chain: found by lift'
  | 'breaks the chain: pass { flow }'
  | 'cannot be held';

/** A source of numbers that the test drives by hand. */
interface TestSource {
  readonly source: rx.Observable<number>;
  next(value: number): void;
  error(error: unknown): void;
  complete(): void;
}

/** The sources from which a row builds its pipeline. */
interface Sources {
  readonly a: TestSource;
  readonly b: TestSource;
  readonly c: TestSource;
  /** Completes when an inner source may start. */
  readonly gate: rx.Subject<never>;
  readonly clock: rx.VirtualTimeScheduler;
}

export interface Row {
  /** The name of the export. */
  readonly name: string;
  /** What this note is limited to, if the operator has several rows. */
  readonly variant?: string;
  readonly class: FlowClass;
  readonly note?: string;
  readonly pipeline: (s: Sources) => rx.Observable<unknown>;
  /** Steps after which other sources are subscribed. */
  readonly drive?: readonly ((s: Sources) => void)[];
  /** The sources that the consumer must find. Default: `a`. */
  readonly reaches?: string;
  /** For `found by lift`: whether its subscribers share one subscription of the source. Default: they do. */
  readonly shared?: boolean;
  /** For `time-shifting`: makes the late value arrive. Default: the clock advances. */
  readonly later?: (s: Sources) => void;
  /** For `queues by itself`. */
  readonly queue?: Queue;
  /** For `pass { flow }`: a pipeline whose consumer is found, if there is one. */
  readonly flattened?: (s: Sources) => rx.Observable<unknown>;
}

/** Shows the queue: `a` is offered `OFFERED` values, which are emitted only later. */
interface Queue {
  readonly pipeline?: (s: Sources) => rx.Observable<unknown>;
  readonly before?: (s: Sources) => void;
  /** Releases the queued values. */
  readonly unblock: (s: Sources) => void;
  /** How many values come then; values in arrays count one by one. Default: `OFFERED`. */
  readonly delivers?: number;
}

export const OFFERED = 100;

type Use = Omit<Row, 'name' | 'class'>;
type Pipeline = Row['pipeline'];

const value = (s: Sources) => s.a.next(1);
const completion = (s: Sources) => s.a.complete();
const offer = (probe: 'a' | 'b') => (s: Sources) => {
  for (let i = 0; i < OFFERED; i++) s[probe].next(i);
};
const openGate = (s: Sources) => s.gate.complete();

function row(className: FlowClass, name: string, pipeline: Pipeline, use: Omit<Use, 'pipeline'> = {}): Row {
  return { name, class: className, pipeline, ...use };
}
/** An operator whose only source is the one it is applied to. */
const simple = (name: string, operator: rx.OperatorFunction<number, unknown>, note?: string): Row =>
  row('passes through', name, (s) => s.a.source.pipe(operator), note === undefined ? {} : { note });
const passes = (name: string, pipeline: Pipeline, use?: Omit<Use, 'pipeline'>) =>
  row('passes through', name, pipeline, use);
const shifts = (name: string, pipeline: Pipeline, use?: Omit<Use, 'pipeline'>) =>
  row('time-shifting', name, pipeline, use);
const queues = (name: string, pipeline: Pipeline, use: Omit<Use, 'pipeline'> & { readonly queue: Queue }) =>
  row('queues by itself', name, pipeline, use);
const lifts = (name: string, pipeline: Pipeline, use?: Omit<Use, 'pipeline'>) =>
  row('breaks the chain: found by lift', name, pipeline, use);
const breaks = (name: string, pipeline: Pipeline, use?: Omit<Use, 'pipeline'>) =>
  row('breaks the chain: pass { flow }', name, pipeline, use);
const unheld = (name: string, pipeline: Pipeline) => row('cannot be held', name, pipeline);

/** `a` emits `b` for each value. */
const inner = (s: Sources) => s.a.source.pipe(rx.map(() => s.b.source));
/** `a` emits sources that wait for the gate. */
const gated = (s: Sources) => s.a.source.pipe(rx.map((n) => rx.concat(s.gate, rx.of(n))));
const toInner = { drive: [value], reaches: 'ab' } as const;
const oneByOne = 'runs one inner source at a time: use mapWithBackpressure()';
const limited = 'with a finite `concurrent`: use mapWithBackpressure()';
const unlimited = 'as many inner sources as values: use mapWithBackpressure()';
const aKept = 'keeps the latest value of each source';
const behindSubject = 'one slow subscriber holds all';

export const operatorTable: readonly Row[] = [
  // ---- operators
  shifts('audit', (s) => s.a.source.pipe(rx.audit(() => s.b.source)), { ...toInner, later: (s) => s.b.next(1) }),
  shifts('auditTime', (s) => s.a.source.pipe(rx.auditTime(5, s.clock))),
  queues('buffer', (s) => s.a.source.pipe(rx.buffer(s.b.source)), {
    reaches: 'ab',
    queue: { unblock: (s) => s.b.next(1) },
  }),
  queues('bufferCount', (s) => s.a.source.pipe(rx.bufferCount(OFFERED * 2)), {
    note: 'as many as the count',
    queue: { unblock: completion },
  }),
  queues('bufferTime', (s) => s.a.source.pipe(rx.bufferTime(5, s.clock)), { queue: { unblock: completion } }),
  queues('bufferToggle', (s) => s.a.source.pipe(rx.bufferToggle(s.b.source, () => s.c.source)), {
    drive: [(s) => s.b.next(1)],
    reaches: 'abc',
    queue: { before: (s) => s.b.next(1), unblock: (s) => s.c.next(1) },
  }),
  queues('bufferWhen', (s) => s.a.source.pipe(rx.bufferWhen(() => s.b.source)), {
    reaches: 'ab',
    queue: { unblock: (s) => s.b.next(1) },
  }),
  passes('catchError', (s) => s.a.source.pipe(rx.catchError(() => s.b.source)), {
    drive: [(s) => s.a.error(1)],
    reaches: 'ab',
  }),
  queues('combineAll', (s) => inner(s).pipe(rx.combineAll()), {
    drive: [value, completion],
    reaches: 'ab',
    note: 'collects all inner sources first',
    queue: { pipeline: (s) => gated(s).pipe(rx.combineAll()), unblock: (s) => [completion(s), openGate(s)] },
  }),
  queues('combineLatestAll', (s) => inner(s).pipe(rx.combineLatestAll()), {
    drive: [value, completion],
    reaches: 'ab',
    note: 'collects all inner sources first',
    queue: { pipeline: (s) => gated(s).pipe(rx.combineLatestAll()), unblock: (s) => [completion(s), openGate(s)] },
  }),
  passes('combineLatestWith', (s) => s.a.source.pipe(rx.combineLatestWith(s.b.source)), { reaches: 'ab', note: aKept }),
  queues('concatAll', (s) => inner(s).pipe(rx.concatAll()), {
    ...toInner,
    note: oneByOne,
    queue: { pipeline: (s) => gated(s).pipe(rx.concatAll()), unblock: openGate },
  }),
  queues('concatMap', (s) => s.a.source.pipe(rx.concatMap(() => s.b.source)), {
    ...toInner,
    note: oneByOne,
    queue: { pipeline: (s) => s.a.source.pipe(rx.concatMap((n) => rx.concat(s.gate, rx.of(n)))), unblock: openGate },
  }),
  queues('concatMapTo', (s) => s.a.source.pipe(rx.concatMapTo(s.b.source)), {
    ...toInner,
    note: oneByOne,
    queue: { pipeline: (s) => s.a.source.pipe(rx.concatMapTo(rx.concat(s.gate, rx.of(1)))), unblock: openGate },
  }),
  passes('concatWith', (s) => s.a.source.pipe(rx.concatWith(s.b.source)), { drive: [completion], reaches: 'ab' }),
  lifts('connect', (s) => s.a.source.pipe(rx.connect((shared) => rx.merge(shared, s.b.source))), {
    reaches: 'ab',
    shared: false,
  }),
  simple('count', rx.count()),
  shifts('debounce', (s) => s.a.source.pipe(rx.debounce(() => s.b.source)), { ...toInner, later: (s) => s.b.next(1) }),
  shifts('debounceTime', (s) => s.a.source.pipe(rx.debounceTime(5, s.clock))),
  simple('defaultIfEmpty', rx.defaultIfEmpty(0)),
  shifts('delay', (s) => s.a.source.pipe(rx.delay(5, s.clock))),
  shifts('delayWhen', (s) => s.a.source.pipe(rx.delayWhen(() => s.b.source)), {
    ...toInner,
    later: (s) => s.b.next(1),
  }),
  shifts('delayWhen', (s) => s.a.source.pipe(rx.delayWhen(() => s.b.source, s.c.source)), {
    variant: 'with a subscription delay',
    drive: [(s) => s.c.next(1), value],
    reaches: 'abc',
    later: (s) => s.b.next(1),
  }),
  passes('dematerialize', (s) => s.a.source.pipe(rx.materialize(), rx.dematerialize())),
  simple('distinct', rx.distinct(), 'remembers every key'),
  simple('distinctUntilChanged', rx.distinctUntilChanged()),
  passes('distinctUntilKeyChanged', (s) =>
    s.a.source.pipe(
      rx.map((n) => ({ n })),
      rx.distinctUntilKeyChanged('n'),
    ),
  ),
  simple('elementAt', rx.elementAt(3)),
  passes('endWith', (s) => s.a.source.pipe(rx.endWith(0))),
  simple('every', rx.every(Boolean)),
  passes('exhaust', (s) => inner(s).pipe(rx.exhaust()), toInner),
  passes('exhaustAll', (s) => inner(s).pipe(rx.exhaustAll()), toInner),
  passes('exhaustMap', (s) => s.a.source.pipe(rx.exhaustMap(() => s.b.source)), {
    ...toInner,
    note: 'drops what comes while an inner source runs',
  }),
  passes('expand', (s) => s.a.source.pipe(rx.expand(() => s.b.source)), { ...toInner, note: unlimited }),
  queues('expand', (s) => s.a.source.pipe(rx.expand(() => s.b.source, 1)), {
    ...toInner,
    variant: 'with a finite `concurrent`',
    note: limited,
    queue: { pipeline: (s) => s.a.source.pipe(rx.expand(() => s.gate, 1)), unblock: openGate },
  }),
  simple('filter', rx.filter(Boolean)),
  simple('finalize', rx.finalize(rx.noop) as rx.OperatorFunction<number, unknown>),
  simple('find', rx.find(() => false) as rx.OperatorFunction<number, unknown>),
  simple(
    'findIndex',
    rx.findIndex(() => false),
  ),
  passes('first', (s) => s.a.source.pipe(rx.first((n) => n > 9))),
  passes('flatMap', (s) => s.a.source.pipe(rx.flatMap(() => s.b.source)), { ...toInner, note: unlimited }),
  breaks('groupBy', (s) => s.a.source.pipe(rx.groupBy((n) => n)), {
    drive: [value],
    note: 'for consumers inside a group; one behind mergeAll() is found',
    flattened: (s) =>
      s.a.source.pipe(
        rx.groupBy((n) => n),
        rx.mergeAll(),
      ),
  }),
  simple('ignoreElements', rx.ignoreElements()),
  simple('isEmpty', rx.isEmpty()),
  passes('last', (s) => s.a.source.pipe(rx.last())),
  simple(
    'map',
    rx.map((n) => n),
  ),
  simple('mapTo', rx.mapTo(1)),
  simple('materialize', rx.materialize()),
  simple('max', rx.max()),
  passes('mergeAll', (s) => inner(s).pipe(rx.mergeAll()), { ...toInner, note: unlimited }),
  queues('mergeAll', (s) => inner(s).pipe(rx.mergeAll(1)), {
    ...toInner,
    variant: 'with a finite `concurrent`',
    note: limited,
    queue: { pipeline: (s) => gated(s).pipe(rx.mergeAll(1)), unblock: openGate },
  }),
  passes('mergeMap', (s) => s.a.source.pipe(rx.mergeMap(() => s.b.source)), { ...toInner, note: unlimited }),
  queues('mergeMap', (s) => s.a.source.pipe(rx.mergeMap(() => s.b.source, 1)), {
    ...toInner,
    variant: 'with a finite `concurrent`',
    note: limited,
    queue: { pipeline: (s) => s.a.source.pipe(rx.mergeMap((n) => rx.concat(s.gate, rx.of(n)), 1)), unblock: openGate },
  }),
  passes('mergeMapTo', (s) => s.a.source.pipe(rx.mergeMapTo(s.b.source)), { ...toInner, note: unlimited }),
  passes('mergeScan', (s) => s.a.source.pipe(rx.mergeScan(() => s.b.source, 0)), { ...toInner, note: unlimited }),
  queues('mergeScan', (s) => s.a.source.pipe(rx.mergeScan(() => s.b.source, 0, 1)), {
    ...toInner,
    variant: 'with a finite `concurrent`',
    note: limited,
    queue: {
      pipeline: (s) => s.a.source.pipe(rx.mergeScan((_, n) => rx.concat(s.gate, rx.of(n)), 0, 1)),
      unblock: openGate,
    },
  }),
  passes('mergeWith', (s) => s.a.source.pipe(rx.mergeWith(s.b.source)), { reaches: 'ab' }),
  simple('min', rx.min()),
  lifts(
    'multicast',
    (s) =>
      s.a.source.pipe(
        rx.multicast(() => new rx.Subject<number>()),
        rx.refCount(),
      ),
    {
      note: behindSubject,
    },
  ),
  shifts('observeOn', (s) => s.a.source.pipe(rx.observeOn(s.clock))),
  passes('onErrorResumeNextWith', (s) => s.a.source.pipe(rx.onErrorResumeNextWith(s.b.source)), {
    drive: [(s) => s.a.error(1)],
    reaches: 'ab',
  }),
  simple('pairwise', rx.pairwise()),
  passes('pluck', (s) =>
    s.a.source.pipe(
      rx.map((n) => ({ n })),
      rx.pluck('n'),
    ),
  ),
  lifts('publish', (s) => s.a.source.pipe(rx.publish(), rx.refCount() as rx.MonoTypeOperatorFunction<number>), {
    note: behindSubject,
  }),
  lifts(
    'publishBehavior',
    (s) => (s.a.source.pipe(rx.publishBehavior(0)) as rx.ConnectableObservable<number>).refCount(),
    {
      note: behindSubject,
    },
  ),
  lifts('publishLast', (s) => (s.a.source.pipe(rx.publishLast()) as rx.ConnectableObservable<number>).refCount(), {
    note: behindSubject,
  }),
  lifts('publishReplay', (s) => s.a.source.pipe(rx.publishReplay(1), rx.refCount()), {
    note: `${behindSubject}; keeps as many values as \`bufferSize\` says, by default all`,
  }),
  passes('raceWith', (s) => s.a.source.pipe(rx.raceWith(s.b.source)), { reaches: 'ab' }),
  passes('reduce', (s) => s.a.source.pipe(rx.reduce((x, y: number) => x + y, 0))),
  lifts('refCount', (s) => s.a.source.pipe(rx.publish(), rx.refCount() as rx.MonoTypeOperatorFunction<number>), {
    note: behindSubject,
  }),
  passes('repeat', (s) => s.a.source.pipe(rx.repeat()), { drive: [completion] }),
  passes('repeatWhen', (s) => s.a.source.pipe(rx.repeatWhen(() => s.b.source)), {
    drive: [completion, (s) => s.b.next(1)],
    reaches: 'ab',
  }),
  passes('retry', (s) => s.a.source.pipe(rx.retry()), { drive: [(s) => s.a.error(1)] }),
  passes('retryWhen', (s) => s.a.source.pipe(rx.retryWhen(() => s.b.source)), {
    drive: [(s) => s.a.error(1), (s) => s.b.next(1)],
    reaches: 'ab',
  }),
  shifts('sample', (s) => s.a.source.pipe(rx.sample(s.b.source)), { reaches: 'ab', later: (s) => s.b.next(1) }),
  shifts('sampleTime', (s) => s.a.source.pipe(rx.sampleTime(5, s.clock))),
  passes('scan', (s) => s.a.source.pipe(rx.scan((x, y: number) => x + y, 0))),
  queues('sequenceEqual', (s) => s.a.source.pipe(rx.sequenceEqual(s.b.source)), {
    reaches: 'ab',
    queue: { unblock: (s) => [offer('b')(s), s.a.complete(), s.b.complete()], delivers: 1 },
  }),
  lifts('share', (s) => s.a.source.pipe(rx.share()), { note: behindSubject }),
  lifts('shareReplay', (s) => s.a.source.pipe(rx.shareReplay({ refCount: true, bufferSize: 1 })), {
    note: `${behindSubject}; keeps as many values as \`bufferSize\` says, by default all`,
  }),
  passes('single', (s) => s.a.source.pipe(rx.single((n) => n > 9))),
  simple('skip', rx.skip(1)),
  queues('skipLast', (s) => s.a.source.pipe(rx.skipLast(OFFERED)), {
    note: 'as many as the count',
    queue: { unblock: offer('a') },
  }),
  passes('skipUntil', (s) => s.a.source.pipe(rx.skipUntil(s.b.source)), { reaches: 'ab' }),
  simple('skipWhile', rx.skipWhile(Boolean)),
  passes('startWith', (s) => s.a.source.pipe(rx.startWith(0))),
  passes('subscribeOn', (s) => s.a.source.pipe(rx.subscribeOn(s.clock)), { drive: [(s) => s.clock.flush()] }),
  passes('switchAll', (s) => inner(s).pipe(rx.switchAll()), toInner),
  passes('switchMap', (s) => s.a.source.pipe(rx.switchMap(() => s.b.source)), toInner),
  passes('switchMapTo', (s) => s.a.source.pipe(rx.switchMapTo(s.b.source)), toInner),
  passes('switchScan', (s) => s.a.source.pipe(rx.switchScan(() => s.b.source, 0)), toInner),
  simple('take', rx.take(9)),
  queues('takeLast', (s) => s.a.source.pipe(rx.takeLast(OFFERED)), {
    note: 'as many as the count',
    queue: { unblock: completion },
  }),
  passes('takeUntil', (s) => s.a.source.pipe(rx.takeUntil(s.b.source)), { reaches: 'ab' }),
  simple('takeWhile', rx.takeWhile(Boolean)),
  simple('tap', rx.tap(rx.noop)),
  shifts('throttle', (s) => s.a.source.pipe(rx.throttle(() => s.b.source, { leading: false, trailing: true })), {
    ...toInner,
    note: 'passes through unless `trailing`',
    later: (s) => s.b.next(1),
  }),
  shifts('throttleTime', (s) => s.a.source.pipe(rx.throttleTime(5, s.clock, { leading: false, trailing: true })), {
    note: 'passes through unless `trailing`',
  }),
  simple('throwIfEmpty', rx.throwIfEmpty()),
  passes('timeInterval', (s) => s.a.source.pipe(rx.timeInterval(s.clock))),
  passes('timeout', (s) => s.a.source.pipe(rx.timeout({ first: 5, with: () => s.b.source, scheduler: s.clock })), {
    drive: [(s) => s.clock.flush()],
    reaches: 'ab',
    note: 'its time goes on while held',
  }),
  passes('timeoutWith', (s) => s.a.source.pipe(rx.timeoutWith(5, s.b.source, s.clock)), {
    drive: [(s) => s.clock.flush()],
    reaches: 'ab',
    note: 'its time goes on while held',
  }),
  passes('timestamp', (s) => s.a.source.pipe(rx.timestamp(s.clock))),
  queues('toArray', (s) => s.a.source.pipe(rx.toArray()), { queue: { unblock: completion } }),
  breaks('window', (s) => s.a.source.pipe(rx.window(s.b.source)), {
    note: 'for consumers inside a window; one behind mergeAll() is found',
    reaches: 'ab',
    flattened: (s) => s.a.source.pipe(rx.window(s.b.source), rx.mergeAll()),
  }),
  breaks('windowCount', (s) => s.a.source.pipe(rx.windowCount(2)), {
    note: 'for consumers inside a window; one behind mergeAll() is found',
    flattened: (s) => s.a.source.pipe(rx.windowCount(2), rx.mergeAll()),
  }),
  breaks('windowTime', (s) => s.a.source.pipe(rx.windowTime(5, s.clock)), {
    note: 'for consumers inside a window; one behind mergeAll() is found',
    flattened: (s) => s.a.source.pipe(rx.windowTime(5, s.clock), rx.mergeAll()),
  }),
  breaks('windowToggle', (s) => s.a.source.pipe(rx.windowToggle(s.b.source, () => s.c.source)), {
    drive: [(s) => s.b.next(1)],
    note: 'for consumers inside a window; one behind mergeAll() is found',
    reaches: 'abc',
    flattened: (s) =>
      s.a.source.pipe(
        rx.windowToggle(s.b.source, () => s.c.source),
        rx.mergeAll(),
      ),
  }),
  breaks('windowWhen', (s) => s.a.source.pipe(rx.windowWhen(() => s.b.source)), {
    note: 'for consumers inside a window; one behind mergeAll() is found',
    reaches: 'ab',
    flattened: (s) =>
      s.a.source.pipe(
        rx.windowWhen(() => s.b.source),
        rx.mergeAll(),
      ),
  }),
  passes('withLatestFrom', (s) => s.a.source.pipe(rx.withLatestFrom(s.b.source)), { reaches: 'ab', note: aKept }),
  queues('zipAll', (s) => inner(s).pipe(rx.zipAll()), {
    drive: [value, completion],
    reaches: 'ab',
    note: 'collects all inner sources first',
    queue: { pipeline: (s) => gated(s).pipe(rx.zipAll()), unblock: (s) => [completion(s), openGate(s)] },
  }),
  queues('zipWith', (s) => s.a.source.pipe(rx.zipWith(s.b.source)), { reaches: 'ab', queue: { unblock: offer('b') } }),

  // ---- creation functions
  passes('combineLatest', (s) => rx.combineLatest([s.a.source, s.b.source]), { reaches: 'ab', note: aKept }),
  passes('concat', (s) => rx.concat(s.a.source, s.b.source), { drive: [completion], reaches: 'ab' }),
  breaks('connectable', (s) => {
    const connectable = rx.connectable(s.a.source);
    connectable.connect();
    return connectable;
  }),
  passes('defer', (s) => rx.defer(() => s.a.source)),
  passes('forkJoin', (s) => rx.forkJoin([s.a.source, s.b.source]), { reaches: 'ab', note: aKept }),
  passes('from', (s) => rx.from(s.a.source), { note: 'a promise or an iterable cannot be held: use flowFrom()' }),
  passes('iif', (s) => rx.iif(() => true, s.a.source, s.b.source)),
  passes('merge', (s) => rx.merge(s.a.source, s.b.source), { reaches: 'ab' }),
  passes('onErrorResumeNext', (s) => rx.onErrorResumeNext(s.a.source, s.b.source), {
    drive: [(s) => s.a.error(1)],
    reaches: 'ab',
  }),
  passes('partition', (s) => rx.partition(s.a.source, () => true)[0]),
  passes('race', (s) => rx.race(s.a.source, s.b.source), { reaches: 'ab' }),
  shifts('scheduled', (s) => rx.scheduled(s.a.source, s.clock), { drive: [(s) => s.clock.flush()] }),
  passes('using', (s) =>
    rx.using(
      () => ({ unsubscribe: rx.noop }),
      () => s.a.source,
    ),
  ),
  queues('zip', (s) => rx.zip(s.a.source, s.b.source), { reaches: 'ab', queue: { unblock: offer('b') } }),
  unheld('EMPTY', () => rx.EMPTY),
  unheld('NEVER', () => rx.NEVER),
  unheld('animationFrames', () => rx.animationFrames()),
  unheld('bindCallback', () => rx.bindCallback((done: (n: number) => void) => done(1))()),
  unheld('bindNodeCallback', () => rx.bindNodeCallback((done: (e: null, n: number) => void) => done(null, 1))()),
  unheld('empty', () => rx.empty()),
  unheld('fromEvent', () => rx.fromEvent(new EventTarget(), 'x')),
  unheld('fromEventPattern', () => rx.fromEventPattern(rx.noop)),
  unheld('generate', () =>
    rx.generate(
      0,
      (n) => n < 3,
      (n) => n + 1,
    ),
  ),
  unheld('interval', (s) => rx.interval(5, s.clock)),
  unheld('never', () => rx.never()),
  unheld('of', () => rx.of(1)),
  unheld('pairs', () => rx.pairs({ n: 1 })),
  unheld('range', () => rx.range(0, 3)),
  unheld('throwError', () => rx.throwError(() => 1)),
  unheld('timer', (s) => rx.timer(5, s.clock)),
];

/**
 * The other exports of RxJS: classes, errors, schedulers, helpers, and the two functions that turn a pipeline into a
 * promise.
 */
export const notPipelines: readonly string[] = [
  'ArgumentOutOfRangeError',
  'AsyncSubject',
  'BehaviorSubject',
  'ConnectableObservable',
  'EmptyError',
  'NotFoundError',
  'Notification',
  'NotificationKind',
  'ObjectUnsubscribedError',
  'Observable',
  'ReplaySubject',
  'Scheduler',
  'SequenceError',
  'Subject',
  'Subscriber',
  'Subscription',
  'TimeoutError',
  'UnsubscriptionError',
  'VirtualAction',
  'VirtualTimeScheduler',
  'animationFrame',
  'animationFrameScheduler',
  'asap',
  'asapScheduler',
  'async',
  'asyncScheduler',
  'config',
  'firstValueFrom',
  'identity',
  'isObservable',
  'lastValueFrom',
  'noop',
  'observable',
  'pipe',
  'queue',
  'queueScheduler',
];
