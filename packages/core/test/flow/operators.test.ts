// Checks every operator and creation function of RxJS against the operator table.
import * as rx from 'rxjs';
import * as operators from 'rxjs/operators';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { notPipelines, OFFERED, operatorTable, type Row } from '../../../../tests/support/operator-table.js';
import { FlowSet } from '../../src/flow/flow-set.js';
import { Flowable } from '../../src/flow/flowable.js';
import { Consumer, makeSources, type Probe, type Sources, subscribeStranger } from './support.js';

const names = ['a', 'b', 'c'] as const;
const titleOf = ({ name, variant }: Row) => (variant ? `${name}, ${variant}` : name);
const rowsOf = (...classes: Row['class'][]) =>
  operatorTable.filter((row) => classes.includes(row.class)).map((row) => [titleOf(row), row] as const);

/** Classes for which a consumer at the end finds each subscription of the sources. */
const found = ['passes through', 'time-shifting', 'queues by itself'] as const;
const lifted = 'breaks the chain: found by lift';
const broken = 'breaks the chain: pass { flow }';

const all = (s: Sources): Probe[] => names.map((name) => s[name]);
const heldSubscriptions = (s: Sources) => all(s).flatMap((probe) => probe.held.filter(Boolean));
const expectAllHeld = (s: Sources) => {
  for (const name of names) expect(s[name].held, `${name} held`).toEqual(s[name].live.map(() => true));
};

/** Runs the steps of a row. Calls `check` with the live subscriptions after the subscription and after each step. */
function drive(row: Row, s: Sources, check: () => void): void {
  const reached = new Set<string>();
  const look = () => {
    for (const name of names) if (s[name].live.length > 0) reached.add(name);
    check();
  };
  look();
  for (const step of row.drive ?? []) {
    step(s);
    look();
  }
  expect([...reached].sort().join(''), 'sources subscribed').toBe(row.reaches ?? 'a');
}

test('the table lists every export of RxJS', () => {
  const exported = Object.keys(rx).filter((name) => name !== 'default' && name !== '__esModule');
  const listed = new Set([...operatorTable.map(({ name }) => name), ...notPipelines]);
  expect([...listed].sort()).toEqual(exported.sort());
  const older = Object.keys(operators).filter((name) => name !== 'default' && name !== '__esModule');
  expect(older.filter((name) => !listed.has(name))).toEqual([]);
});

describe.each(rowsOf(...found, lifted))('%s', (_title, row) => {
  test('a hold reaches every source, whenever it is subscribed', () => {
    const s = makeSources();
    const consumer = new Consumer(row.pipeline(s));
    const release = consumer.flows.hold('test');
    consumer.start();
    drive(row, s, () => expectAllHeld(s));
    release();
    expect(heldSubscriptions(s)).toEqual([]);
    consumer.stop();
  });

  test('a later hold reaches every source', () => {
    const s = makeSources();
    const consumer = new Consumer(row.pipeline(s)).start();
    drive(row, s, () => {
      expect(heldSubscriptions(s)).toEqual([]);
      const release = consumer.flows.hold('test');
      expectAllHeld(s);
      release();
      expect(heldSubscriptions(s)).toEqual([]);
    });
    consumer.stop();
  });

  test('nothing stays held or joined when the consumer unsubscribes', () => {
    const s = makeSources();
    const consumer = new Consumer(row.pipeline(s)).start();
    drive(row, s, () => {});
    const live = all(s).flatMap((probe) => probe.live);
    expect(live).not.toEqual([]);
    consumer.flows.hold('test');
    consumer.stop();
    expect(live.filter(({ flow }) => flow.held)).toEqual([]);
    expect(all(s).flatMap((probe) => probe.live)).toEqual([]);
    expect(consumer.flows.size).toBe(0);
  });
});

test.each(rowsOf(...found))('%s: another subscription of the same source is not held', (_title, row) => {
  const s = makeSources();
  for (const name of names) subscribeStranger(s[name].source);
  const strangers = all(s).map((probe) => probe.live[0]?.flow);
  const consumer = new Consumer(row.pipeline(s)).start();
  const release = consumer.flows.hold('test');
  for (const step of row.drive ?? []) {
    step(s);
    expect(strangers.map((flow) => flow?.held)).toEqual([false, false, false]);
  }
  expect(strangers.map((flow) => flow?.held)).toEqual([false, false, false]);
  release();
  consumer.stop();
});

describe.each(rowsOf(lifted))('%s, found by lift', (_title, row) => {
  test('the source is held as a whole', () => {
    const s = makeSources();
    subscribeStranger(s.a.source);
    const consumer = new Consumer(row.pipeline(s)).start();
    consumer.flows.hold('test');
    expect(s.a.held).toEqual([true, true]);
    consumer.stop();
    expect(s.a.held).toEqual([false]);
  });
});

test.each(rowsOf(lifted).filter(([, { shared = true }]) => shared))(
  '%s: one slow subscriber of several holds the source, until it releases it or unsubscribes',
  (_title, row) => {
    const s = makeSources();
    const shared = row.pipeline(s);
    const fast = new Consumer(shared).start();
    const slow = new Consumer(shared).start();
    expect(s.a.subscribed).toBe(1);
    const release = slow.flows.hold('slow');
    expect(s.a.held).toEqual([true]);
    const both = fast.flows.hold('fast');
    release();
    expect(s.a.held).toEqual([true]);
    both();
    expect(s.a.held).toEqual([false]);
    slow.flows.hold('slow');
    slow.stop();
    expect(s.a.held).toEqual([false]);
    fast.stop();
    expect(s.a.live).toEqual([]);
  },
);

describe.each(rowsOf(broken))('%s, which breaks the chain', (_title, row) => {
  /** Consumers inside each group or window, or of the pipeline itself where it emits plain values. */
  function inside(s: Sources, flows: FlowSet): rx.Subscription {
    const subscription = new rx.Subscription();
    const consume = (source: rx.Observable<unknown>) => {
      const consumer = new Consumer(source);
      flows.add(consumer.flows);
      subscription.add(consumer.start().subscriber);
    };
    const pipeline = row.pipeline(s);
    if (row.flattened) subscription.add(pipeline.subscribe((part) => consume(part as rx.Observable<unknown>)));
    else consume(pipeline);
    return subscription;
  }

  test('a consumer inside finds no source, and holds the flow that it is given', () => {
    const s = makeSources();
    const consumers = new FlowSet();
    const subscription = inside(s, consumers);
    drive(row, s, () => {});
    expect(consumers.size).toBeGreaterThan(0);
    const release = consumers.hold('test');
    expect(heldSubscriptions(s)).toEqual([]);
    const emitted = consumers.add(s.a.source);
    expect(s.a.held).toEqual([true]);
    emitted();
    release();
    subscription.unsubscribe();
  });
});

test.each(rowsOf(broken).filter(([, { flattened }]) => flattened))(
  '%s: a consumer behind mergeAll() is found',
  (_title, row) => {
    const s = makeSources();
    subscribeStranger(s.a.source);
    const consumer = new Consumer(row.flattened?.(s) ?? rx.NEVER).start();
    for (const step of row.drive ?? []) step(s);
    consumer.flows.hold('test');
    expect(s.a.held).toEqual([false, true]);
    consumer.stop();
  },
);

describe('cannot be held', () => {
  beforeEach(() => {
    vi.stubGlobal('requestAnimationFrame', () => 0);
    vi.stubGlobal('cancelAnimationFrame', () => {});
  });
  afterEach(() => void vi.unstubAllGlobals());

  test.each(rowsOf('cannot be held'))('%s', (_title, row) => {
    const pipeline = row.pipeline(makeSources());
    expect(pipeline).not.toBeInstanceOf(Flowable);
    const consumer = new Consumer(pipeline);
    consumer.flows.hold('test');
    const sizes: number[] = [];
    consumer.onNext = () => sizes.push(consumer.flows.size);
    consumer.start();
    expect([...sizes, consumer.flows.size].filter((size) => size > 0)).toEqual([]);
    consumer.stop();
  });
});

test.each(rowsOf('time-shifting'))('%s delivers during a hold what it took before', (_title, row) => {
  const s = makeSources();
  const consumer = new Consumer(row.pipeline(s)).start();
  if (s.a.live.length === 0) row.drive?.[0]?.(s);
  s.a.next(1);
  expect(consumer.values).toEqual([]);
  consumer.flows.hold('test');
  (row.later ?? ((sources: Sources) => sources.clock.flush()))(s);
  expect(consumer.values.length).toBe(1);
  consumer.stop();
});

test.each(rowsOf('passes through'))('%s delivers nothing of its own during a hold', (_title, row) => {
  const s = makeSources();
  const consumer = new Consumer(row.pipeline(s)).start();
  for (const step of row.drive ?? []) step(s);
  for (const probe of all(s)) probe.next(2);
  const before = consumer.values.length;
  consumer.flows.hold('test');
  s.clock.flush();
  expect(consumer.values.length).toBe(before);
  consumer.stop();
});

test.each(rowsOf('queues by itself'))('%s takes all values, and nothing is held', (_title, row) => {
  const s = makeSources();
  const { queue } = row;
  if (!queue) throw new Error(`${row.name} does not show its queue`);
  const consumer = new Consumer((queue.pipeline ?? row.pipeline)(s)).start();
  // A consumer that would hold at its first value never gets to it, or gets only one.
  consumer.onNext = () => void consumer.flows.hold('test');
  queue.before?.(s);
  let offered = 0;
  for (; offered < OFFERED && consumer.values.length < 2; offered++) s.a.next(offered);
  expect(offered).toBe(OFFERED);
  expect(consumer.values.length).toBeLessThan(2);
  queue.unblock(s);
  const delivered = consumer.values.flatMap((value) => (queue.delivers === 1 ? [value] : value));
  expect(delivered.length).toBeGreaterThanOrEqual(queue.delivers ?? OFFERED);
  consumer.stop();
});
