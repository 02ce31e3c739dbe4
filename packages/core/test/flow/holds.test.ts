// Holds, FlowSet and Brake: holds are counted and named, and nested calls are safe when a release synchronously
// delivers values.
import { expect, test } from 'vitest';
import type { Flow } from '../../src/flow/flow.js';
import { FlowSet } from '../../src/flow/flow-set.js';
import { Brake, distinct, Holds, traceHolds } from '../../src/flow/holds.js';

/** A flow that logs what happens to it. */
function recorder() {
  const log: string[] = [];
  const holds = new Holds((held) => log.push(held ? 'held' : 'released'));
  return { log, holds };
}

test('Holds reports only the first hold and the last release, and names the holds in force', () => {
  const { holds, log } = recorder();
  const first = holds.hold('first');
  const second = holds.hold();
  expect(holds.holds).toEqual(['first', 'hold']);
  first();
  expect(holds.holds).toEqual(['hold']);
  expect(log).toEqual(['held']);
  second();
  expect(log).toEqual(['held', 'released']);
  expect(holds.held).toBe(false);
  expect(holds.holds).toEqual([]);
});

test('a release function takes effect once, however often it is called', () => {
  const { holds } = recorder();
  const first = holds.hold('same');
  holds.hold('same');
  first();
  first();
  expect(holds.holds).toEqual(['same']);
});

test('a release function works with using', () => {
  const { holds } = recorder();
  {
    using release = holds.hold('block');
    expect(release).toBeTypeOf('function');
    expect(holds.held).toBe(true);
  }
  expect(holds.held).toBe(false);
});

test('Holds can be held again during a release', () => {
  const seen: boolean[] = [];
  let again: (() => void) | undefined;
  const holds = new Holds((held) => {
    seen.push(held);
    if (!held) again ??= holds.hold('again');
  });
  holds.hold('once')();
  expect(seen).toEqual([true, false, true]);
  expect(holds.holds).toEqual(['again']);
  again?.();
  expect(seen).toEqual([true, false, true, false]);
});

test('a FlowSet holds the flows in it and those that join later, and passes on the reason', () => {
  const set = new FlowSet();
  const early = recorder();
  const late = recorder();
  set.add(early.holds);
  const release = set.hold('slow');
  set.add(late.holds);
  expect(early.holds.holds).toEqual(['slow']);
  expect(late.holds.holds).toEqual(['slow']);
  release();
  expect([...early.log, ...late.log]).toEqual(['held', 'released', 'held', 'released']);
  expect(set.holds).toEqual([]);
});

test('a second hold of a FlowSet does not hold its flows twice', () => {
  const set = new FlowSet();
  const { holds } = recorder();
  set.add(holds);
  const first = set.hold('first');
  const second = set.hold('second');
  expect(holds.holds).toEqual(['first, second']);
  first();
  expect(holds.holds).toEqual(['second']);
  second();
  expect(holds.held).toBe(false);
});

test('a FlowSet that is still held takes back the name of a hold that is over, without a release', () => {
  const set = new FlowSet();
  const { holds, log } = recorder();
  set.add(holds);
  const first = set.hold('first');
  const second = set.hold('second');
  first();
  expect(holds.holds).toEqual(['second']);
  expect(log).toEqual(['held']);
  second();
  first();
  expect(log).toEqual(['held', 'released']);
});

test('a flow that leaves a FlowSet is released and is not held again', () => {
  const set = new FlowSet();
  const { holds } = recorder();
  const leave = set.add(holds);
  const release = set.hold();
  leave();
  expect(holds.held).toBe(false);
  expect(set.size).toBe(0);
  release();
  set.hold();
  expect(holds.held).toBe(false);
});

test('a flow that joined twice is held once and stays until it has left twice', () => {
  const set = new FlowSet();
  const { holds } = recorder();
  set.hold();
  const first = set.add(holds);
  const second = set.add(holds);
  expect(holds.holds).toHaveLength(1);
  first();
  first();
  expect(holds.held).toBe(true);
  expect(set.size).toBe(1);
  second();
  expect(holds.held).toBe(false);
  expect(set.size).toBe(0);
});

test('a hold during the release of a FlowSet leaves every flow held', () => {
  const set = new FlowSet();
  const last = recorder();
  let again: (() => void) | undefined;
  // Delivers as soon as it is released, which makes the consumer hold again.
  const eager = new Holds((held) => {
    if (!held) again ??= set.hold('again');
  });
  set.add(eager);
  set.add(last.holds);
  set.hold('once')();
  expect(eager.held).toBe(true);
  expect(last.holds.held).toBe(true);
  expect(last.log).toEqual(['held']);
  again?.();
  expect(eager.held).toBe(false);
  expect(last.log).toEqual(['held', 'released']);
});

test('a hold and a release during the release of a FlowSet leave no flow held', () => {
  const set = new FlowSet();
  const last = recorder();
  let once = false;
  const eager = new Holds((held) => {
    if (held || once) return;
    once = true;
    set.hold('shortly')();
  });
  set.add(eager);
  set.add(last.holds);
  set.hold('first')();
  expect(eager.held).toBe(false);
  expect(last.holds.held).toBe(false);
});

test('a flow that leaves during the release of a FlowSet is released', () => {
  const set = new FlowSet();
  const last = recorder();
  const eager = new Holds((held) => {
    if (!held) leave();
  });
  set.add(eager);
  const leave = set.add(last.holds);
  set.hold('first')();
  expect(last.holds.held).toBe(false);
  set.hold('second');
  expect(last.holds.held).toBe(false);
});

test('a flow that joins a FlowSet during its release is held if the FlowSet is held again', () => {
  const set = new FlowSet();
  const joiner = recorder();
  let again: (() => void) | undefined;
  const eager = new Holds((held) => {
    if (held || again) return;
    again = set.hold('again');
    set.add(joiner.holds);
  });
  set.add(eager);
  set.hold('first')();
  expect(joiner.holds.held).toBe(true);
  again?.();
  expect(joiner.holds.held).toBe(false);
});

test('a FlowSet inside a FlowSet forwards holds', () => {
  const outer = new FlowSet();
  const middle = new FlowSet();
  const { holds } = recorder();
  outer.add(middle);
  middle.add(holds);
  const release = outer.hold('far');
  expect(holds.holds).toEqual(['far']);
  release();
  expect(holds.held).toBe(false);
});

test('a Brake holds once and releases once', () => {
  const { holds, log } = recorder();
  const brake = new Brake(holds, 'brake');
  brake.off();
  brake.on();
  brake.on();
  expect(brake.held).toBe(true);
  expect(holds.holds).toEqual(['brake']);
  brake.off();
  brake.off();
  expect(log).toEqual(['held', 'released']);
  expect(brake.held).toBe(false);
});

test('a Brake that is applied during its release is on', () => {
  const flow: Flow = new Holds((held) => {
    if (!held && !again) {
      again = true;
      brake.on();
    }
  });
  let again = false;
  const brake = new Brake(flow, 'brake');
  brake.on();
  brake.off();
  expect(flow.holds).toEqual(['brake']);
  brake.off();
  expect(flow.holds).toEqual([]);
});

test('the same consumer by two paths is named once, by the longer one', () => {
  expect(distinct(['map', 'lines ← map', 'lines ← map', 'other', 'a ← lines ← map'])).toEqual([
    'other',
    'a ← lines ← map',
  ]);
  const many = Array.from({ length: 10_000 }, (_, index) => `client ${index}`);
  expect(distinct(many)).toEqual(many);
});

test('a reason that is no string is shown as one', () => {
  const holds = new Holds(() => {});
  for (const reason of [5, null, Symbol('s'), {}]) holds.hold(reason as never);
  expect(holds.holds).toEqual(['5', 'null', 'Symbol(s)', '[object Object]']);
});

test('traceHolds() records stacks until it is stopped, however often it is stopped', () => {
  const holds = new Holds(() => {}, false, { now: () => 7 });
  const [first, second] = [traceHolds(), traceHolds()];
  first();
  first();
  holds.hold('traced');
  second();
  holds.hold('not traced');
  expect(holds.holders).toEqual([
    { reason: 'traced', since: 7, stack: expect.stringMatching(/^ {4}at .*holds\.test\.ts/) },
    { reason: 'not traced', since: 7, stack: undefined },
  ]);
});
