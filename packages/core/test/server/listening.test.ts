// Listening: what a server emits, what it drops, and how it ends.
import net from 'node:net';
import { connections, type DropEvent, listen, on, type Server, type ServerEvent, type Socket } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { defer, firstValueFrom, retry } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { drainRaw, rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { type Recording, record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

/** Starts a server. The server and its sockets are closed when the test is over. */
async function started(server: Server): Promise<{ port: number } & Recording<ServerEvent>> {
  const recording = record<ServerEvent>(server);
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  return { port: (address as net.AddressInfo).port, ...recording };
}

describe('listening', () => {
  test('is emitted with the address, and again to later subscribers', async () => {
    const server = listen();
    expect(server.address).toBeUndefined();
    const { port, log } = await started(server);
    expect(log).toEqual(['listening']);
    expect(server.address).toEqual({ address: '127.0.0.1', port, family: 'IPv4' });
    expect(record(server).values).toEqual([{ type: 'listening', address: server.address }]);
  });

  test('takes an IPv6 address in brackets, and names it so in messages', async () => {
    const server = listen({ host: '[::1]' });
    const { port } = await started(server);
    expect(server.address).toEqual({ address: '::1', port, family: 'IPv6' });
    const { error } = await record(listen({ host: '[::1]', port })).ended;
    expect(error).toMatchObject({ code: 'EADDRINUSE', message: expect.stringContaining(`[::1]:${port}`) });
  });

  test('is shared by all subscribers', async () => {
    const server = listen();
    const first = await started(server);
    const second = record(server.pipe(connections()));
    rawClient(first.port);
    await expect.poll(() => second.values).toHaveLength(1);
    expect(first.values.filter(({ type }) => type === 'connection')).toMatchObject([{ socket: second.values[0] }]);
  });

  test('on a port in use fails; retry() waits for another turn', async () => {
    const { port } = await rawServer();
    const server = listen({ port });
    const { error } = await record(server).ended;
    expect(error).toMatchObject({ code: 'EADDRINUSE', phase: 'open' });
    let sync = true;
    const late = record(server);
    expect(late.log).toEqual([]);
    late.ended.then(() => expect(sync).toBe(false));
    sync = false;
    expect(await late.ended).toEqual({ error });
  });

  test('listens when the port is free again and it is subscribed again', async () => {
    const occupant = await rawServer();
    const recording = record(
      defer(() => listen({ port: occupant.port })).pipe(retry({ delay: async () => occupant.close() })),
    );
    await expect.poll(() => recording.log).toEqual(['listening']);
    recording.subscription.unsubscribe();
  });

  test.each([{ port: -1 }, { port: 70_000 }, { backlog: 0 }, { claimTimeout: Number.NaN }, { maxConnections: 0 }])(
    'rejects %o at the call',
    (options) => {
      expect(() => listen(options)).toThrow(RangeError);
    },
  );
});

describe('dropped connections', () => {
  test('are those beyond maxConnections', async () => {
    const { port, values } = await started(listen({ maxConnections: 1 }));
    rawClient(port);
    await expect.poll(() => values).toHaveLength(2);
    const second = rawClient(port);
    await expect.poll(() => values).toHaveLength(3);
    const remote = { address: '127.0.0.1', port: second.localPort, family: 'IPv4' };
    expect(values[2]).toEqual({ type: 'drop', reason: 'maxConnections', remote });
  });

  test('are those that nobody subscribes to within claimTimeout: one drop, and the peer sees a reset', async () => {
    const scheduler = new VirtualClock();
    const server = listen({ claimTimeout: 1000, scheduler });
    const { port, values } = await started(server);
    const peer = rawClient(port);
    await expect.poll(() => values).toHaveLength(2);
    const remote = { address: '127.0.0.1', port: peer.localPort, family: 'IPv4' };
    scheduler.tick(999);
    expect(values).toHaveLength(2);
    scheduler.tick(1);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    const drops = values.filter((event): event is DropEvent => event.type === 'drop');
    expect(drops).toEqual([{ type: 'drop', reason: 'unclaimed', remote }]);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  test.each([
    ['a subscription', (socket: Socket) => void record(socket)],
    ['next()', (socket: Socket) => void socket.next('x')],
    ['write()', (socket: Socket) => void socket.write('x')],
    ['complete()', (socket: Socket) => socket.complete()],
  ])('do not include those that %s has claimed', async (_name, claim) => {
    const scheduler = new VirtualClock();
    const server = listen({ claimTimeout: 1000, finTimeout: 0, scheduler });
    const { port, values } = await started(server);
    rawClient(port);
    const socket = await firstValueFrom(server.pipe(connections()));
    claim(socket);
    scheduler.tick(5000);
    expect(values.map(({ type }) => type)).not.toContain('drop');
    expect(socket.readyState).not.toBe('closed');
  });
});

describe('unsubscribing', () => {
  test('the last subscriber stops the listening; the sockets live on', async () => {
    const server = listen();
    const { port, subscription } = await started(server);
    const peer = rawClient(port);
    const socket = await firstValueFrom(server.pipe(connections()));
    const received = record(socket);
    subscription.unsubscribe();
    const refused = net.connect({ port, host: '127.0.0.1' });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve));
    expect(error.code).toBe('ECONNREFUSED');
    peer.end('still here');
    peer.resume();
    expect(await received.ended).toEqual({});
    expect(received.log).toContain('data');
  });

  test('before it listens leaves nothing behind', async () => {
    const server = listen();
    record(server).subscription.unsubscribe();
    const late = record(server);
    await late.ended;
    expect(late.log).toEqual(['close', 'complete']);
  });
});

describe('close()', () => {
  test('emits draining, waits for the connections, then emits close', async () => {
    const server = listen();
    const { port, log } = await started(server);
    const peer = rawClient(port);
    const socket = await firstValueFrom(server.pipe(connections()));
    const received = record(socket);
    const closed = server.close({ drain: Number.POSITIVE_INFINITY });
    expect(log).toEqual(['listening', 'connection', 'draining']);
    const during = record(server);
    await turns();
    expect(during.log).not.toContain('close');
    peer.end('last words');
    peer.resume();
    await received.ended;
    await closed;
    expect(received.log).toContain('data');
    expect(log).toEqual(['listening', 'connection', 'draining', 'close', 'complete']);
    expect(during.log.slice(-2)).toEqual(['close', 'complete']);
    const after = record(server);
    expect(after.log).toEqual([]);
    await after.ended;
    expect(after.log).toEqual(['close', 'complete']);
  });

  test('cuts unfinished connections after drain milliseconds', async () => {
    const scheduler = new VirtualClock();
    const server = listen({ scheduler });
    const { port, log } = await started(server);
    const peer = rawClient(port);
    const { ended } = record(await firstValueFrom(server.pipe(connections())));
    const closed = server.close({ drain: 1000 });
    scheduler.tick(999);
    expect(log).not.toContain('close');
    scheduler.tick(1);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    await closed;
    expect(server.sockets.size).toBe(0);
    expect(log.slice(-2)).toEqual(['close', 'complete']);
  });

  test('cuts a held connection that was reset, too', async () => {
    const server = listen();
    const { port } = await started(server);
    const peer = rawClient(port);
    const socket = await firstValueFrom(server.pipe(connections()));
    const { ended } = record(socket);
    socket.hold('for ever');
    peer.write('abc');
    await expect.poll(() => socket.bytesRead).toBe(3);
    peer.resetAndDestroy();
    await expect.poll(() => socket.readyState).toBe('closing');
    await server.close({ drain: 0 });
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('works before it listens', async () => {
    const server = listen();
    await server.close();
    const { log, ended } = record(server);
    await ended;
    expect(log).toEqual(['close', 'complete']);
  });

  test('works twice', async () => {
    const server = listen();
    const { log } = await started(server);
    await Promise.all([server.close(), server.close()]);
    expect(log).toEqual(['listening', 'draining', 'close', 'complete']);
  });
});

describe('signal', () => {
  test('stops the listening and aborts the connections', async () => {
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    const server = listen({ signal: abort.signal });
    const { port, log, ended } = await started(server);
    const peer = rawClient(port);
    const { ended: socketEnded } = record(await firstValueFrom(server.pipe(connections())));
    abort.abort(new Error('enough'));
    expect((await socketEnded).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    await ended;
    expect(log.slice(-2)).toEqual(['close', 'complete']);
    expect(remove).toHaveBeenCalled();
  });

  test('fails the server if it was aborted before', async () => {
    const { log, ended } = record(listen({ signal: AbortSignal.abort() }));
    await ended;
    expect(log).toEqual(['close', 'complete']);
  });
});
