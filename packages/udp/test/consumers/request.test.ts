// request(): one reply to one datagram, or an error in finite time.
import type { LookupFunction } from 'node:net';
import { VirtualClock } from '@rxsock/core/testing';
import { bind, connect, type Message, request } from '@rxsock/udp';
import { firstValueFrom, forkJoin, Subscriber, type Subscription } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { bound, connected, eventsOf, rawPeer, refusingPort, unknownName } from '../support/peers.js';

const local = '127.0.0.1';
const text = ({ data }: Message) => data.toString();

/** Answers everything with `re: …`. */
const answering = () => rawPeer((node, data, from) => node.send(`re: ${data}`, from.port, from.address));

describe('the reply', () => {
  test('is emitted alone, to each subscription for its own request', async () => {
    const peer = await answering();
    const { socket } = await connected({ port: peer.port });
    const asking = request(socket, 'ping');
    await turns();
    expect(peer.received).toEqual([]);
    const { values, log, ended } = record(asking);
    await ended;
    expect(log).toEqual(['message', 'complete']);
    expect(values).toMatchObject([{ data: Buffer.from('re: ping'), remote: { address: local, port: peer.port } }]);
    await firstValueFrom(asking);
    expect(peer.received).toEqual(['ping', 'ping']);
  });

  test('arrives on a bound socket, by address and by name', async () => {
    const peer = await answering();
    const lookup: LookupFunction = (_name, _options, done) => process.nextTick(done, null, local, 4);
    const { socket } = await bound({ lookup });
    for (const address of [local, 'peer.test']) {
      const reply = await firstValueFrom(request(socket, { data: address, remote: { address, port: peer.port } }));
      expect(text(reply)).toBe(`re: ${address}`);
    }
  });

  test('on a connected socket is that of its peer, whatever the name resolves to by then', async () => {
    const peer = await answering();
    const lookup = vi.fn<LookupFunction>((_name, _options, done) => process.nextTick(done, null, local, 4));
    const { socket } = await connected({ host: 'peer.test', port: peer.port, lookup });
    expect(text(await firstValueFrom(request(socket, 'x')))).toBe('re: x');
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test('arrives on a socket for both families', async () => {
    const [four, six] = [
      await answering(),
      await rawPeer((node, data, from) => node.send(data, from.port, from.address), '::1'),
    ];
    const { socket } = await bound({ host: '::' });
    const ask = (address: string, port: number) =>
      firstValueFrom(request(socket, { data: 'x', remote: { address, port } }));
    expect(text(await ask(local, four.port))).toBe('re: x');
    expect(text(await ask('0:0:0:0:0:0:0:1', six.port))).toBe('x');
  });

  test('may be empty', async () => {
    const peer = await rawPeer((node, _data, from) => node.send('', from.port, from.address));
    const { socket } = await connected({ port: peer.port });
    expect((await firstValueFrom(request(socket, ''))).data).toHaveLength(0);
  });

  test('is never that of a stranger', async () => {
    const peer = await rawPeer();
    const [otherPort, otherAddress] = [await rawPeer(), await rawPeer(undefined, '127.0.0.2', peer.port)];
    const server = await bound({ host: '0.0.0.0' });
    const { log } = record(request(server.socket, { data: 'hi', remote: { address: local, port: peer.port } }));
    await expect.poll(() => peer.received).toEqual(['hi']);
    await otherPort.send('forged', server.local.port);
    await otherAddress.send('forged', server.local.port, local);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(2);
    expect(log).toEqual([]);
    await peer.send('true', server.local.port);
    await expect.poll(() => log).toEqual(['message', 'complete']);
  });

  test('is the one that match accepts', async () => {
    const peer = await rawPeer((node, data, from) => {
      // Late and in the wrong order.
      if (data.toString() !== 'b') return;
      for (const reply of ['stray', 're b', 're a']) node.send(reply, from.port, from.address);
    });
    const { socket } = await connected({ port: peer.port });
    const ask = (id: string) => request(socket, id, { match: (reply) => text(reply) === `re ${id}`, retries: 0 });
    const replies = await firstValueFrom(forkJoin([ask('a'), ask('b')]));
    expect(replies.map(text)).toEqual(['re a', 're b']);
  });

  test('fails the request, not the socket, if match throws', async () => {
    const peer = await answering();
    const { socket, log } = await connected({ port: peer.port });
    const match = () => {
      throw new Error('mine');
    };
    expect((await record(request(socket, 'x', { match })).ended).error).toMatchObject({ message: 'mine' });
    expect(socket.readyState).toBe('open');
    expect(log).toEqual(['listening', 'message']);
  });

  test('closes a socket that no other code uses, but not a bound one', async () => {
    const peer = await answering();
    const once = connect({ port: peer.port });
    expect(text(await firstValueFrom(request(once, 'a')))).toBe('re: a');
    expect(text(await firstValueFrom(request(once, 'b')))).toBe('re: b'); // in the same turn
    await expect.poll(() => once.readyState).toBe('closed');
    expect((await record(request(once, 'c')).ended).error).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    const kept = connect({ port: peer.port });
    await kept.bind();
    await firstValueFrom(request(kept, 'd'));
    await turns();
    expect(kept.readyState).toBe('open');
    await kept.close();
  });
});

describe('no reply', () => {
  const waiting = async (options: Parameters<typeof request>[2]) => {
    const scheduler = new VirtualClock();
    const peer = await rawPeer();
    const { socket } = await connected({ port: peer.port, scheduler });
    const schedule = vi.spyOn(scheduler, 'schedule');
    const timers = () => schedule.mock.results.map(({ value }) => value as Subscription);
    return { scheduler, timers, peer, socket, ...record(request(socket, 'anybody?', options)) };
  };

  test('makes it send again, and then fail in finite time', async () => {
    const { scheduler, peer, ended, log, socket } = await waiting({ timeout: 300, retries: 2 });
    for (let sent = 1; sent <= 3; sent++) {
      await expect.poll(() => peer.received).toHaveLength(sent);
      scheduler.tick(299);
      await turns();
      expect([peer.received.length, log.length]).toEqual([sent, 0]);
      scheduler.tick(1);
    }
    const { error } = await ended;
    expect(error).toMatchObject({
      name: 'SocketTimeoutError',
      code: 'ETIMEDOUT',
      timeout: 'timeout',
      milliseconds: 300,
    });
    expect((error as Error).message).toMatch('3 attempts');
    expect(socket.readyState).toBe('open');
  });

  test('makes it send three times by default, a second each', async () => {
    const { scheduler, peer, ended } = await waiting({});
    for (let sent = 1; sent <= 3; sent++) {
      await expect.poll(() => peer.received).toHaveLength(sent);
      scheduler.tick(1000);
    }
    expect((await ended).error).toMatchObject({ code: 'ETIMEDOUT', milliseconds: 1000 });
  });

  test('makes it fail in time although the wall clock was set back', async () => {
    const peer = await rawPeer();
    const { socket } = await connected({ port: peer.port });
    const { ended } = record(request(socket, 'anybody?', { timeout: 50, retries: 0 }));
    await expect.poll(() => peer.received).toHaveLength(1);
    const hourAgo = Date.now() - 3_600_000;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(hourAgo);
    onTestFinished(() => clock.mockRestore());
    expect((await ended).error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'timeout' });
  });

  test('a reply to the second attempt counts', async () => {
    const { scheduler, peer, socket, ended, values, timers } = await waiting({ timeout: 100, retries: 1 });
    await expect.poll(() => peer.received).toHaveLength(1);
    scheduler.tick(100);
    await expect.poll(() => peer.received).toHaveLength(2);
    await peer.send('yes', socket.local?.port as number);
    await ended;
    expect(values.map(text)).toEqual(['yes']);
    expect(timers()).toHaveLength(2);
    expect(timers()[1]?.closed).toBe(true);
    scheduler.tick(1000);
    await turns();
    expect(peer.received).toHaveLength(2);
  });

  test('unsubscribing ends the wait', async () => {
    const { scheduler, peer, subscription, log } = await waiting({ timeout: 100 });
    await expect.poll(() => peer.received).toHaveLength(1);
    subscription.unsubscribe();
    scheduler.tick(10_000);
    await turns();
    expect([peer.received.length, log.length]).toEqual([1, 0]);
  });

  test('a request that was given up while its name was being resolved is not sent', async () => {
    const peer = await rawPeer();
    let answer = () => {};
    const lookup: LookupFunction = (_name, _options, done) => {
      answer = () => done(null, local, 4);
    };
    const { socket } = await bound({ lookup });
    const remote = { address: 'peer.test', port: peer.port };
    const { subscription } = record(request(socket, { data: 'x', remote }));
    await turns();
    subscription.unsubscribe();
    answer();
    await turns();
    expect([peer.received, socket.report.messagesWritten]).toEqual([[], 0]);
  });

  test('a request is not queued twice while its name is being resolved', async () => {
    const scheduler = new VirtualClock();
    const asked: string[] = [];
    const lookup: LookupFunction = (name) => void asked.push(name);
    const { socket } = await bound({ lookup, scheduler });
    const remote = { address: 'somebody.test', port: 9 };
    const { ended } = record(request(socket, { data: 'x', remote }, { timeout: 100, retries: 3 }));
    await turns();
    for (let attempt = 0; attempt < 4; attempt++) scheduler.tick(100);
    expect((await ended).error).toMatchObject({
      code: 'ETIMEDOUT',
      phase: 'write',
      milliseconds: 400,
      message: expect.stringMatching(/^The request to somebody.test:9 was not sent within 400 ms/),
    });
    expect(asked).toEqual(['somebody.test']);
  });

  test('the time to resolve its name does not count: all attempts follow', async () => {
    const scheduler = new VirtualClock();
    const peer = await rawPeer();
    let answer = () => {};
    const lookup: LookupFunction = (_name, _options, done) => {
      answer = () => done(null, local, 4);
    };
    const { socket } = await bound({ lookup, scheduler });
    const remote = { address: 'slow.test', port: peer.port };
    const { log, ended } = record(request(socket, { data: 'x', remote }, { timeout: 100, retries: 1 }));
    await turns();
    scheduler.tick(199);
    answer();
    for (let sent = 1; sent <= 2; sent++) {
      await expect.poll(() => peer.received).toHaveLength(sent);
      scheduler.tick(99);
      await turns();
      expect([peer.received.length, log]).toEqual([sent, []]);
      scheduler.tick(1);
    }
    expect((await ended).error).toMatchObject({ code: 'ETIMEDOUT', message: expect.stringContaining('2 attempts') });
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});

describe('a request that fails', () => {
  test('because it is refused is sent again, and reports the last refusal', async () => {
    const scheduler = new VirtualClock();
    const client = await connected({ port: await refusingPort(), scheduler });
    const { log, ended } = record(request(client.socket, 'x', { retries: 1 }));
    await expect.poll(() => client.log).toEqual(['listening', 'sendError']);
    await turns();
    expect(log).toEqual([]);
    scheduler.tick(1000);
    expect((await ended).error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(client.socket.readyState).toBe('open');
  });

  test('because it is too large fails at once', async () => {
    const { socket } = await connected({ port: 9 });
    const { error } = await record(request(socket, Buffer.alloc(65_508))).ended;
    expect(error).toMatchObject({ code: 'EMSGSIZE' });
  });

  test('because its name has no address fails at once', async () => {
    const server = await bound({ lookup: unknownName });
    const datagram = { data: 'x', remote: { address: 'nobody.invalid', port: 9 } };
    const { error } = await record(request(server.socket, datagram)).ended;
    expect(error).toMatchObject({ code: 'ENOTFOUND', phase: 'write' });
    expect(server.log).toEqual(['listening']);
    expect(server.socket.readyState).toBe('open');
  });

  test('because the socket cannot be opened has that error', async () => {
    const { port } = await rawPeer();
    const asking = request(bind({ port }), { data: 'x', remote: { address: local, port } });
    expect((await record(asking).ended).error).toMatchObject({ code: 'EADDRINUSE' });
  });

  test('because the socket is closed has an error', async () => {
    const peer = await rawPeer();
    const { socket } = await connected({ port: peer.port });
    const { ended } = record(request(socket, 'x'));
    await expect.poll(() => peer.received).toHaveLength(1);
    await socket.close();
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_CLOSED', phase: 'read' });
  });

  test('because its input is invalid throws at the call', () => {
    const socket = bind();
    const datagram = { data: 'x', remote: { address: local, port: 9 } };
    expect(() => request(socket, 'x' as never)).toThrow(TypeError);
    expect(() => request(socket, datagram, { timeout: -1 })).toThrow(RangeError);
    expect(() => request(socket, datagram, { retries: -1 })).toThrow(RangeError);
    expect(socket.readyState).toBe('idle');
  });
});

test('a subscriber that is closed already leaves no timer behind', async () => {
  const peer = await answering();
  const scheduler = new VirtualClock();
  const { socket } = await connected({ port: peer.port, scheduler });
  const subscriber = new Subscriber<Message>();
  subscriber.unsubscribe();
  request(socket, 'ping', { retries: Number.POSITIVE_INFINITY }).subscribe(subscriber);
  await turns();
  expect(scheduler.actions).toEqual([]);
  expect(peer.received).toEqual([]);
});

test('takes an address in brackets, as send() does', async () => {
  const peer = await rawPeer((node, data, from) => node.send(`re: ${data}`, from.port, from.address), '::1');
  const { socket } = await bound({ host: '::1' });
  const reply = await firstValueFrom(request(socket, { data: 'ping', remote: { address: '[::1]', port: peer.port } }));
  expect(text(reply)).toBe('re: ping');
});
