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

test('at most an eighth of the budget goes on at once, however much is given back', () => {
  const budget = new Budget(1_000_000);
  const hog = memberOf(budget);
  hog.share.setWritten(900_000);
  const members = Array.from({ length: 5 }, () => waiting(budget, 100_000));
  hog.share.setWritten(450_000);
  expect(members.map(({ socket }) => socket.writeOn.mock.calls.length)).toEqual([1, 1, 0, 0, 0]);
});

test('one that need not wait for its drain is not called later', () => {
  const budget = new Budget(1_000_000);
  const [hog, member] = [memberOf(budget), memberOf(budget)];
  hog.share.setWritten(100_000);
  expect(member.share.mayDrain()).toBe(true);
  hog.share.setWritten(0);
  expect(member.socket.writeOn).not.toHaveBeenCalled();
});

test('everybody may write while exactly half of the budget is in use', () => {
  const budget = new Budget(1000);
  const [hog, writer] = [memberOf(budget), memberOf(budget)];
  hog.share.setWritten(500);
  expect(writer.share.hasRoom(1000)).toBe(true);
  hog.share.setWritten(501);
  expect(writer.share.hasRoom(1000)).toBe(false);
});

test('a chunk of half of the budget waits for room, and one byte more does not', () => {
  const budget = new Budget(1000);
  const [hog, writer] = [memberOf(budget), memberOf(budget)];
  hog.share.setWritten(600);
  expect(writer.share.hasRoomFor(500)).toBe(false);
  expect(writer.share.hasRoomFor(501)).toBe(true);
});

test('while little is written, all that is free may be written, beside bytes that were received', () => {
  const budget = new Budget(1000);
  const [reader, writer] = [memberOf(budget), memberOf(budget)];
  reader.share.setReceived(600);
  expect(writer.share.hasRoomFor(400)).toBe(true);
  expect(writer.share.hasRoomFor(401)).toBe(false);
});

test('received bytes have half of the budget, and a reader needs room for a whole read', () => {
  const half = memberOf(new Budget(200_000));
  half.share.setReceived(100_000 - 65_536);
  expect(half.share.mayRead(true)).toBe(true);
  half.share.setReceived(100_001 - 65_536);
  expect(half.share.mayRead(true)).toBe(false);
  const small = new Budget(131_072);
  const [reader, writer] = [memberOf(small), memberOf(small)];
  writer.share.setWritten(65_536);
  expect(reader.share.mayRead(true)).toBe(true);
  writer.share.setWritten(65_537);
  expect(reader.share.mayRead(true)).toBe(false);
});

test('a member that has closed counts nothing more, and is not asked for anything', () => {
  const budget = new Budget(100_000);
  const [member, writer] = [memberOf(budget), memberOf(budget)];
  member.share.close();
  member.share.setReceived(10);
  member.share.setWritten(10);
  expect(budget.used).toBe(0);
  expect(member.share.mayDrain()).toBe(false);
  member.share.mayRead(true);
  writer.share.setWritten(90_000);
  writer.share.setWritten(0);
  for (const call of Object.values(member.socket)) expect(call).not.toHaveBeenCalled();
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

  test('fails it too if what it wrote is exactly what is missing', () => {
    const { members, failed } = full(100, 300, 200);
    members[0]!.share.ignoresBudget = true;
    members[0]!.share.setWritten(99);
    members[2]!.share.setWritten(300);
    expect(failed()).toEqual([0]);
  });

  test('fails nobody if the kernel takes enough of what was just written', () => {
    const { budget, members, failed } = full(100, 300, 200);
    const [writer] = members;
    // They fill the budget, which is not too much.
    for (const { socket } of members) expect(socket.flush).not.toHaveBeenCalled();
    writer!.socket.flush.mockImplementation(() => writer!.share.setWritten(50));
    writer!.share.setWritten(101);
    expect(failed()).toEqual([]);
    expect(budget.used).toBe(550);
    expect(writer!.socket.flush).toHaveBeenCalledOnce();
  });

  test('fails nobody if the kernel takes enough of what the largest has', () => {
    const { members, failed } = full(100, 300, 200);
    const [writer, largest] = members;
    largest!.socket.flush.mockImplementation(() => largest!.share.setWritten(250));
    writer!.share.setWritten(101);
    expect(failed()).toEqual([]);
  });

  test('fails each once, also those that keep their bytes for a while', () => {
    const { members } = full(100, 300, 200);
    for (const { socket } of members) socket.fail.mockReset();
    members[0]!.share.setWritten(101);
    for (const { socket } of members) expect(socket.fail).toHaveBeenCalledOnce();
  });

  test('does not fail one whose bytes leave while others have received too much', () => {
    const budget = new Budget(100);
    const [reader, writer] = [memberOf(budget), memberOf(budget)];
    writer.share.setWritten(10);
    reader.share.setReceived(150);
    writer.share.setWritten(5);
    expect(writer.socket.fail).not.toHaveBeenCalled();
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

test.each(['writers', 'readers'])('of many %s, 64 go on in one turn', async (kind) => {
  const budget = new Budget(1_000_000);
  const hog = memberOf(budget);
  hog.share.setWritten(1_000_000);
  let calls = 0;
  const count = () => {
    calls++;
  };
  for (let i = 0; i < 200; i++) {
    const { share, socket } = kind === 'writers' ? waiting(budget, 100) : memberOf(budget);
    if (kind === 'readers') share.mayRead(true);
    socket.writeOn.mockImplementation(count);
    socket.readOn.mockImplementation(count);
  }
  hog.share.setWritten(0);
  expect(calls).toBe(64);
  await turns(1);
  expect(calls).toBe(128);
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
