// The stream of toDuplex() behaves as a net.Socket: the same tests run over both.
import { once } from 'node:events';
import net from 'node:net';
import { connect, type SocketDuplex, type SocketOptions, toDuplex } from '@rxsock/core';
import { socketPair } from '@rxsock/core/testing';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { accepted, closedPort, drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { recordTuningCalls } from '../../../../tests/support/tuning.js';
import { turns } from '../../../../tests/support/turns.js';
import { receive } from '../support/files.js';

/** A stream that is connecting, in either kind. */
const kinds: Readonly<Record<string, (port: number, allowHalfOpen?: boolean) => SocketDuplex>> = {
  'net.Socket': (port, allowHalfOpen = false) =>
    net.connect({ port, host: '127.0.0.1', allowHalfOpen }) as unknown as SocketDuplex,
  'toDuplex()': (port, allowHalfOpen = false) => toDuplex(connect({ port, host: '127.0.0.1', allowHalfOpen })),
};

describe.each(Object.entries(kinds))('%s', (_, dial) => {
  /** A connected stream and its peer. */
  async function open(allowHalfOpen?: boolean): Promise<{ stream: SocketDuplex; peer: net.Socket }> {
    const server = await rawServer();
    const stream = dial(server.port, allowHalfOpen).on('error', () => {});
    onTestFinished(() => void stream.destroy());
    const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
    return { stream, peer };
  }

  test('is connecting until it emits connect and ready', async () => {
    const server = await rawServer();
    const stream = dial(server.port);
    const events: unknown[] = [];
    for (const name of ['connect', 'ready', 'close']) {
      stream.on(name, (...args) => events.push([name, stream.connecting, stream.pending, stream.readyState, ...args]));
    }
    expect([stream.connecting, stream.pending, stream.readyState]).toEqual([true, true, 'opening']);
    expect([stream.remoteAddress, stream.remotePort, stream.remoteFamily]).toEqual([undefined, undefined, undefined]);
    expect(stream.address()).toEqual({});
    await once(stream, 'ready');
    stream.destroy();
    expect([stream.connecting, stream.pending, stream.readyState]).toEqual([false, true, 'closed']);
    await once(stream, 'close');
    expect(events).toEqual([
      ['connect', false, false, 'open'],
      ['ready', false, false, 'open'],
      ['close', false, true, 'closed', false],
    ]);
  });

  test('emits close with true after an error, and no connect', async () => {
    const stream = dial(await closedPort());
    const events: unknown[] = [];
    for (const name of ['connect', 'ready', 'error']) stream.on(name, () => events.push(name));
    expect(await new Promise((resolve) => stream.once('close', resolve))).toBe(true);
    expect(events).toEqual(['error']);
    expect(stream.connecting).toBe(false);
  });

  test('has the addresses of both ends', async () => {
    const { stream, peer } = await open();
    expect([stream.localAddress, stream.localPort, stream.localFamily]).toEqual([
      peer.remoteAddress,
      peer.remotePort,
      peer.remoteFamily,
    ]);
    expect([stream.remoteAddress, stream.remotePort, stream.remoteFamily]).toEqual([
      peer.localAddress,
      peer.localPort,
      peer.localFamily,
    ]);
    expect(stream.address()).toEqual({ address: peer.remoteAddress, port: peer.remotePort, family: 'IPv4' });
  });

  test('has a readyState that shows which sides are open', async () => {
    const { stream, peer } = await open(true);
    stream.end();
    await once(stream, 'finish');
    expect(stream.readyState).toBe('readOnly');
    const other = await open(true);
    other.peer.end();
    await once(other.stream.resume(), 'end');
    expect(other.stream.readyState).toBe('writeOnly');
    peer.end();
    stream.resume();
    await once(stream, 'close');
    expect(stream.readyState).toBe('closed');
  });

  test('counts the bytes of both directions, with those that wait', async () => {
    const server = await rawServer();
    const stream = dial(server.port).on('error', () => {});
    stream.write('123');
    stream.write('4567');
    expect([stream.bytesRead, stream.bytesWritten]).toEqual([0, 7]);
    const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
    peer.write('12345');
    await once(stream, 'data');
    expect([stream.bytesRead, stream.bytesWritten]).toEqual([5, 7]);
    stream.write(Buffer.alloc(10_000_000));
    stream.write(Buffer.alloc(10));
    expect(stream.bytesWritten).toBe(10_000_017);
    stream.destroy();
  });

  test('emits timeout when nothing was sent or received for so long, and stays open', async () => {
    const { stream, peer } = await open();
    const listener = vi.fn();
    expect(stream.setTimeout(120, listener)).toBe(stream);
    expect(stream.timeout).toBe(120);
    stream.resume();
    for (let count = 0; count < 8; count++) {
      (count % 2 === 0 ? peer : stream).write('x');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    peer.resume();
    expect(listener).not.toHaveBeenCalled();
    await once(stream, 'timeout');
    expect(listener).toHaveBeenCalledTimes(1);
    expect(stream.destroyed).toBe(false);
    // It starts again with the next byte, and the listener was for one time.
    stream.write('x');
    await once(stream, 'timeout');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test('emits no timeout after setTimeout(0), which removes the listener', async () => {
    const { stream } = await open();
    const listener = vi.fn();
    stream.setTimeout(20, listener).setTimeout(0, listener);
    expect(stream.listenerCount('timeout')).toBe(0);
    stream.on('timeout', listener);
    await new Promise((resolve) => setTimeout(resolve, 60));
    stream.setTimeout(20).destroy();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(listener).not.toHaveBeenCalled();
    expect(() => stream.setTimeout(-1)).not.toThrow();
    const { stream: other } = await open();
    for (const wrong of [-1, Number.NaN]) expect(() => other.setTimeout(wrong)).toThrow(RangeError);
    expect(() => other.setTimeout('1' as never)).toThrow(TypeError);
  });

  test('changes the options of the system', async () => {
    const calls = await recordTuningCalls(async () => {
      const { stream } = await open();
      // toDuplex() sets TCP_NODELAY when it dials.
      expect(stream.setNoDelay(false).setNoDelay()).toBe(stream);
      stream.setKeepAlive(true, 90_000).setKeepAlive(false);
    });
    expect(calls.keepAlive).toEqual([
      [true, 90],
      [false, 0],
    ]);
    expect(calls.noDelay.slice(-1)).toEqual([[true]]);
  });

  test('keeps the options that were set while it was connecting', async () => {
    const calls = await recordTuningCalls(async () => {
      const server = await rawServer();
      const stream = dial(server.port).setKeepAlive(true, 90_000);
      await once(stream, 'connect');
      stream.destroy();
    });
    expect(calls.keepAlive).toContainEqual([true, 90]);
  });

  test('destroy() without an error ends with FIN after what was written, also in the same turn', async () => {
    const { stream, peer } = await open();
    stream.write('good');
    stream.write('bye');
    stream.destroy();
    expect(await receive(peer)).toEqual({ bytes: Buffer.from('goodbye'), end: 'end' });
    peer.end();
  });

  test('destroySoon() destroys it when everything was sent', async () => {
    const { stream, peer } = await open();
    stream.write(Buffer.alloc(5_000_000));
    stream.destroySoon();
    expect(stream.destroyed).toBe(false);
    const { bytes, end } = await receive(peer);
    expect([bytes.length, end]).toEqual([5_000_000, 'end']);
    await vi.waitUntil(() => stream.destroyed);
    stream.destroySoon();
    peer.end();
  });

  test('resetAndDestroy() resets', async () => {
    const { stream, peer } = await open();
    expect(stream.resetAndDestroy()).toBe(stream);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(stream.destroyed).toBe(true);
  });
});

describe('only the stream of toDuplex()', () => {
  const quick: SocketOptions = { lingerTimeout: 100 };

  test('resets when it is destroyed with an error', async () => {
    const { socket, peer } = await pair();
    toDuplex(socket)
      .on('error', () => {})
      .destroy(new Error('enough'));
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('resets when it is destroyed with bytes that were not sent', async () => {
    for (const writes of [1, 2]) {
      const { socket, peer } = await pair();
      const duplex = toDuplex(socket);
      for (let count = 0; count < writes; count++) duplex.write(Buffer.alloc(20_000_000));
      duplex.destroy();
      expect((await receive(peer)).end).toBe('ECONNRESET');
    }
  });

  test('does not show the peer a FIN when it is destroyed before it is open', async () => {
    const server = await rawServer();
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    toDuplex(socket).destroy();
    await vi.waitUntil(() => socket.readyState === 'closed');
    await turns(1);
    for (const peer of server.peers) expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('destroyed by a peer that sends on, it waits for the peer no longer than lingerTimeout', async () => {
    const { socket, peer } = await pair(quick);
    toDuplex(socket).destroy();
    expect((await drainRaw(peer)).end).toBe('end');
    peer.write('late');
    await vi.waitUntil(() => socket.readyState === 'closed');
    expect(socket.bytesRead).toBe(4);
  });

  test('destroyed with received bytes that nobody has read, it ends with FIN and not with a reset', async () => {
    const { socket, peer } = await accepted(quick);
    const duplex = toDuplex(socket);
    peer.write(Buffer.alloc(1_000_000));
    await vi.waitUntil(() => duplex.readableLength > 0);
    duplex.destroy();
    expect((await drainRaw(peer)).end).toBe('end');
  });

  test('emits no connect over a socket that is open', async () => {
    const { socket } = await pair();
    const duplex = toDuplex(socket).on('error', () => {});
    const listener = vi.fn();
    duplex.on('connect', listener).on('ready', listener);
    expect([duplex.connecting, duplex.readyState]).toEqual([false, 'open']);
    await turns(1);
    expect(listener).not.toHaveBeenCalled();
  });

  test('passes ref() and unref() on, also from before it is open', async () => {
    using ref = vi.spyOn(net.Socket.prototype, 'ref');
    using unref = vi.spyOn(net.Socket.prototype, 'unref');
    const server = await rawServer();
    const duplex = toDuplex(connect({ port: server.port, host: '127.0.0.1' }));
    duplex.unref();
    expect(unref).not.toHaveBeenCalled();
    await once(duplex, 'connect');
    expect([ref.mock.calls.length, unref.mock.calls.length]).toEqual([0, 1]);
    duplex.ref();
    expect([ref.mock.calls.length, unref.mock.calls.length]).toEqual([1, 1]);
    duplex.destroy();
  });

  test('has no members of TLS over a plain socket', async () => {
    const { socket } = await pair();
    expect('encrypted' in toDuplex(socket).on('error', () => {})).toBe(false);
  });
});

test('setTimeout() of the stream of a socket in memory runs on the virtual time of TestScheduler.run()', () => {
  const scheduler = new TestScheduler(() => {});
  scheduler.run(() => {
    const [socket, peer] = socketPair();
    peer.subscribe({ error: () => {} });
    const stream = toDuplex(socket).on('error', () => {});
    onTestFinished(() => void stream.destroy());
    const timeouts: number[] = [];
    stream.setTimeout(1000, () => timeouts.push(scheduler.frame));
    scheduler.maxFrames = 1500;
    scheduler.flush();
    expect(timeouts).toEqual([1000]);
  });
});
