// The budget itself: who goes on when memory is given back, with members that only count.
import { describe, expect, test, vi } from 'vitest';
import { turns } from '../../../../tests/support/turns.js';
import { Budget } from '../../src/engine/budget.js';
import { BudgetShare } from '../../src/engine/budget-share.js';

function memberOf(budget: Budget) {
  const socket = { flush: vi.fn(), fail: vi.fn(), stopReading: vi.fn(), readOn: vi.fn(), writeOn: vi.fn() };
  return { socket, share: new BudgetShare(budget, socket) };
}

/** A member that was told to wait after it had written so much, and whose bytes have all left since. */
function waiting(budget: Budget, bytes: number) {
  const member = memberOf(budget);
  member.share.hasRoom(bytes);
  expect(member.share.mayDrain()).toBe(false);
  return member;
}

test('the one that has waited longest goes on first, and before it those that need little if it has no room', () => {
  const budget = new Budget(1_000_000);
  const [hog, other] = [memberOf(budget), memberOf(budget)];
  hog.share.setWritten(900_000);
  other.share.setWritten(99_000);
  const order: string[] = [];
  for (const [name, bytes] of Object.entries({ large: 100_000, small: 2000, equal: 2001 }))
    waiting(budget, bytes).socket.writeOn.mockImplementation(() => order.push(name));
  hog.share.setWritten(850_000);
  expect(order).toEqual(['small', 'equal']);
  waiting(budget, 90_000).socket.writeOn.mockImplementation(() => order.push('last'));
  hog.share.setWritten(0);
  expect(order).toEqual(['small', 'equal', 'large', 'last']);
});

test('while more than a quarter is in use, no more goes on than was given back', () => {
  const budget = new Budget(1_000_000);
  const hog = memberOf(budget);
  hog.share.setWritten(600_000);
  const members = Array.from({ length: 5 }, () => waiting(budget, 100_000));
  const gone = () => members.filter(({ socket }) => socket.writeOn.mock.calls.length > 0).length;
  hog.share.setWritten(500_001);
  expect(gone()).toBe(0);
  hog.share.setWritten(490_000);
  expect(gone()).toBe(2);
  hog.share.setWritten(300_000);
  expect(gone()).toBe(3);
  hog.share.setWritten(250_000);
  expect(gone()).toBe(5);
});

test('a member that writes at once when it goes on leaves the others waiting', () => {
  const budget = new Budget(1_000_000);
  const hog = memberOf(budget);
  hog.share.setWritten(800_000);
  const [first, second] = [waiting(budget, 100_000), waiting(budget, 100_000)];
  first.socket.writeOn.mockImplementation(() => first.share.setWritten(700_000));
  hog.share.setWritten(0);
  expect(first.socket.writeOn).toHaveBeenCalledOnce();
  expect(second.socket.writeOn).not.toHaveBeenCalled();
  first.share.close();
  expect(second.socket.writeOn).toHaveBeenCalledOnce();
});

describe('what does not fit', () => {
  /** Members that have so many bytes to write. The budget is full when all have them. */
  function full(...sizes: readonly number[]) {
    const budget = new Budget(sizes.reduce((sum, size) => sum + size, 0));
    const members = sizes.map(() => memberOf(budget));
    for (const { socket, share } of members) socket.fail.mockImplementation(() => share.close());
    for (const [i, { share }] of members.entries()) share.setWritten(sizes[i]!);
    const failed = () => members.flatMap(({ socket }, i) => (socket.fail.mock.calls.length > 0 ? [i] : []));
    return { budget, members, failed };
  }

  test('fails the one that has the most to write', () => {
    const { members, failed } = full(100, 300, 200);
    members[0]!.share.setWritten(101);
    expect(failed()).toEqual([1]);
  });

  test('fails, of two that have about as much, the one that has had it longer', () => {
    const { members, failed } = full(345_000, 340_000, 300_000);
    members[2]!.share.setWritten(300_001);
    expect(failed()).toEqual([0]);
  });

  test('fails first the one that wrote although it was told to wait, if that makes enough room', () => {
    const { members, failed } = full(100, 300, 200);
    members[0]!.share.ignoresBudget = true;
    members[0]!.share.setWritten(99);
    members[2]!.share.setWritten(250);
    expect(failed()).toEqual([0]);
  });

  test('leaves those that were told to wait if that would not make enough room', () => {
    const { members, failed } = full(100, 300, 200);
    members[0]!.share.ignoresBudget = true;
    members[0]!.share.setWritten(99);
    members[2]!.share.setWritten(400);
    expect(failed()).toEqual([2]);
  });

  test('forgets that one was told to wait when it writes again after its drain', () => {
    const { members, failed } = full(100, 300, 200);
    members[0]!.share.ignoresBudget = true;
    members[0]!.share.setWritten(0);
    members[0]!.share.ignoresBudget = false;
    members[0]!.share.setWritten(101);
    expect(failed()).toEqual([1]);
  });
});

test('ten thousand go on in several turns, and each once', async () => {
  const budget = new Budget(1_000_000);
  const hog = memberOf(budget);
  hog.share.setReceived(1_000_000);
  let calls = 0;
  const count = () => {
    calls++;
  };
  const socket = { flush: count, fail: count, stopReading: count, readOn: count, writeOn: count };
  for (let i = 0; i < 5000; i++) {
    const [writer, reader] = [new BudgetShare(budget, socket), new BudgetShare(budget, socket)];
    writer.hasRoom(100_000);
    writer.mayDrain();
    reader.mayRead(true);
  }
  hog.share.setReceived(0);
  expect(calls).toBeLessThan(100);
  await turns(200);
  expect(calls).toBe(10_000);
});

test('a member that has left is not called any more', async () => {
  const budget = new Budget(1_000_000);
  const hog = memberOf(budget);
  hog.share.setWritten(1_000_000);
  const [writer, reader, ahead] = [waiting(budget, 10), memberOf(budget), memberOf(budget)];
  reader.share.mayRead(true);
  writer.share.close();
  reader.share.close();
  hog.share.close();
  ahead.share.mayRead(true);
  ahead.share.close();
  memberOf(budget).share.setWritten(900_000);
  await turns(3);
  expect(writer.socket.writeOn).not.toHaveBeenCalled();
  expect(reader.socket.readOn).not.toHaveBeenCalled();
  expect(ahead.socket.stopReading).not.toHaveBeenCalled();
  expect(budget.used).toBe(900_000);
});

test('those that read ahead are stopped before a whole read would not fit any more', () => {
  const budget = new Budget(100_000);
  const [reader, taker, writer] = [memberOf(budget), memberOf(budget), memberOf(budget)];
  expect(reader.share.mayRead(true)).toBe(true);
  expect(taker.share.mayRead(false)).toBe(true);
  writer.share.setWritten(30_000);
  expect(reader.socket.stopReading).not.toHaveBeenCalled();
  writer.share.setWritten(35_000);
  expect(reader.socket.stopReading).toHaveBeenCalledOnce();
  expect(taker.socket.stopReading).not.toHaveBeenCalled();
  writer.share.setWritten(25_001);
  expect(reader.socket.readOn).not.toHaveBeenCalled();
  writer.share.setWritten(25_000);
  expect(reader.socket.readOn).toHaveBeenCalledOnce();
});
