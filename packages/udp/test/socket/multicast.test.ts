// Multicast, over the loopback interface.
import dgram from 'node:dgram';
import { bind } from '@rxsock/udp';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { bound, eventsOf } from '../support/peers.js';

/** Groups that no other program on this host is likely to have joined. What one has joined, others may receive. */
const byte = () => Math.floor(Math.random() * 254) + 1;
const group = `239.255.${byte()}.${byte()}`;
const loopback = '127.0.0.1';

/** Sends to the group through the loopback interface. */
async function speaker(to = group) {
  const { socket } = await bound({ host: '0.0.0.0', multicastInterface: loopback });
  return { say: (data: string, port: number) => socket.send({ data, remote: { address: to, port } }) };
}

const texts = (server: Parameters<typeof eventsOf>[0]) =>
  eventsOf(server, 'message').map(({ data }) => data.toString());

describe('a membership', () => {
  test('from the options brings what is sent to the group', async () => {
    const { say } = await speaker();
    const server = await bound({ host: '0.0.0.0', memberships: [{ group, interface: loopback }] });
    await say('hello, group', server.local.port);
    await expect.poll(() => texts(server)).toEqual(['hello, group']);
  });

  test('is shared by sockets at the address of the group', async () => {
    const { say } = await speaker();
    const options = { host: group, reuseAddr: true, memberships: [{ group, interface: loopback }] };
    const one = await bound(options);
    const two = await bound({ ...options, port: one.local.port });
    await say('both', one.local.port);
    await expect.poll(() => [texts(one), texts(two)]).toEqual([['both'], ['both']]);
  });

  test('can be added and dropped later', async () => {
    const group = `239.254.${byte()}.${byte()}`;
    const { say } = await speaker(group);
    const server = await bound({ host: group });
    await say('1', server.local.port);
    server.socket.join({ group, interface: loopback });
    await say('2', server.local.port);
    await expect.poll(() => texts(server)).toEqual(['2']);
    server.socket.leave({ group, interface: loopback });
    await say('3', server.local.port);
    server.socket.join({ group, interface: loopback });
    await say('4', server.local.port);
    await expect.poll(() => texts(server)).toEqual(['2', '4']);
  });

  test('can be added and dropped before the socket is open', async () => {
    const socket = bind({ host: '0.0.0.0' });
    const join = vi.spyOn(dgram.Socket.prototype, 'addMembership');
    const leave = vi.spyOn(dgram.Socket.prototype, 'dropMembership');
    onTestFinished(() => void vi.restoreAllMocks());
    socket.join({ group, interface: loopback });
    socket.leave({ group, interface: loopback });
    socket.join({ group, interface: loopback });
    expect(join).not.toHaveBeenCalled();
    const { port } = await socket.bind();
    expect([join.mock.calls.length, leave.mock.calls.length]).toEqual([2, 1]);
    const received = record(socket);
    const { say } = await speaker();
    await say('x', port);
    await expect.poll(() => received.log).toEqual(['listening', 'message']);
    await socket.close();
  });

  test('of one source brings nothing from others', async () => {
    const ssm = `232.1.${byte()}.${byte()}`;
    const { say } = await speaker(ssm);
    const mine = await bound({ host: ssm, memberships: [{ group: ssm, source: loopback, interface: loopback }] });
    const others = await bound({ host: ssm, memberships: [{ group: ssm, source: '127.9.9.9', interface: loopback }] });
    await say('x', others.local.port);
    await say('x', mine.local.port);
    await expect.poll(() => texts(mine)).toEqual(['x']);
    expect(texts(others)).toEqual([]);
    const drop = vi.spyOn(dgram.Socket.prototype, 'dropSourceSpecificMembership');
    onTestFinished(() => void vi.restoreAllMocks());
    mine.socket.leave({ group: ssm, source: loopback, interface: loopback });
    expect(drop.mock.calls).toEqual([[loopback, ssm, loopback]]);
    mine.socket.join({ group: ssm, source: loopback, interface: loopback });
    await say('y', mine.local.port);
    await expect.poll(() => texts(mine)).toEqual(['x', 'y']);
  });

  test('that the system rejects fails the opening, or throws at the call', async () => {
    const nowhere = { group, interface: '203.0.113.200' };
    for (const [membership, code] of [
      [nowhere, 'ENODEV'],
      [{ group, source: '::1' }, 'EINVAL'],
    ] as const) {
      const { error } = await record(bind({ host: '0.0.0.0', memberships: [membership] })).ended;
      expect(error).toMatchObject({ name: 'SocketError', code, phase: 'open' });
    }
    const { socket, log } = await bound({ host: '0.0.0.0', memberships: [{ group, interface: loopback }] });
    expect(() => socket.join(nowhere)).toThrow(expect.objectContaining({ name: 'SocketError', code: 'ENODEV' }));
    expect(() => socket.join({ group, interface: loopback })).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
    expect(() => socket.leave({ group: '239.0.0.9' })).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    expect(() => socket.join({ group, source: '::1' })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => socket.join({ group, source: 'him' })).toThrow(TypeError);
    expect(() => socket.join({ group: '10.1.1.1' })).toThrow(RangeError);
    expect(() => socket.leave({ group: 'all' })).toThrow(TypeError);
    expect(log).toEqual(['listening']);
    await socket.close();
    expect(() => socket.join({ group })).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
  });
});

describe('sending', () => {
  test('multicastTTL, multicastInterface and multicastLoopback reach the system', async () => {
    const ttl = vi.spyOn(dgram.Socket.prototype, 'setMulticastTTL');
    const via = vi.spyOn(dgram.Socket.prototype, 'setMulticastInterface');
    onTestFinished(() => void vi.restoreAllMocks());
    const loop = vi.spyOn(dgram.Socket.prototype, 'setMulticastLoopback');
    await bound({ host: '0.0.0.0', multicastTTL: 0, multicastInterface: loopback, multicastLoopback: false });
    expect(ttl.mock.calls).toEqual([[0]]);
    expect(via.mock.calls).toEqual([[loopback]]);
    // Through the loopback interface itself everything comes back, so that its effect cannot be seen there.
    expect(loop.mock.calls).toEqual([[false]]);
    const { error } = await record(bind({ host: '0.0.0.0', multicastInterface: '203.0.113.200' })).ended;
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', phase: 'open' });
  });

  test('IPv6 groups are joined and left, with the interface in the address', async () => {
    const membership = { group: 'ff01::1337', interface: '::%lo' };
    const { socket } = await bound({ host: '::', memberships: [membership], multicastInterface: '::%lo' });
    socket.leave(membership);
    expect(() => socket.leave(membership)).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
  });
});
