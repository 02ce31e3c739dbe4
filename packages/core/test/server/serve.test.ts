// serve(): what handlers may return, and that a failing handler harms only its own connection.
import { once } from 'node:events';
import net from 'node:net';
import {
  type ConnectionErrorEvent,
  data,
  flowFrom,
  type HandlerResult,
  lines,
  listen,
  on,
  reader,
  relay,
  type ServeOptions,
  type Server,
  type Socket,
  serve,
} from '@rxsock/core';
import { concat, config, EMPTY, firstValueFrom, map, NEVER, Observable, of, take, throwError, timer } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startPeer } from '../../../../tests/support/peers/index.js';
import { dial, drainRaw, rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { type Recording, record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

type Event = ConnectionErrorEvent | { readonly type: string };

/** A server whose handler is called for connections that say `bad` first. All others are echoed. */
async function serving(
  handler: (socket: Socket) => HandlerResult,
  options?: ServeOptions,
): Promise<{ server: Server; port: number; errors: () => ConnectionErrorEvent[] } & Recording<Event>> {
  const server = listen();
  const recording = record<Event>(server.pipe(serve(handler, options)));
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const errors = () =>
    recording.values.filter((event): event is ConnectionErrorEvent => event.type === 'connectionError');
  return { server, port: (address as net.AddressInfo).port, errors, ...recording };
}

async function reset(port: number): Promise<void> {
  const peer = rawClient(port);
  await once(peer, 'connect');
  peer.resetAndDestroy();
}

const ask = async (port: number, question = ''): Promise<string> => {
  const peer = rawClient(port);
  peer.end(question);
  const { bytes, end } = await drainRaw(peer);
  return `${bytes} ${end}`;
};

test('handles each connection once, however many subscribers there are', async () => {
  const server = listen();
  const echoes = server.pipe(serve((socket) => socket));
  const [first, second] = [record<Event>(echoes), record<Event>(echoes)];
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  expect(await ask(address.port, 'abc')).toBe('abc end');
  expect(first.log).toContain('connection');
  expect(second.log).toContain('connection');
});

describe('a handler may return', () => {
  test.each<[string, (socket: Socket) => HandlerResult]>([
    ['a string', () => 'héllo'],
    ['bytes', () => Buffer.from('héllo')],
    ['an Observable', () => of('hé', Buffer.from('llo'))],
    ['a Promise', async () => 'héllo'],
    ['an iterable', () => ['hé', 'llo']],
    [
      'an async iterable',
      async function* () {
        yield 'hé';
        yield 'llo';
      },
    ],
    ['the socket itself, an echo', (socket) => socket],
  ])('%s', async (_name, handler) => {
    const { port, errors } = await serving(handler);
    expect(await ask(port, 'héllo')).toBe('héllo end');
    expect(errors()).toEqual([]);
  });

  test('another socket, whose bytes are sent', async () => {
    const target = await rawServer((peer) => peer.end('from afar'));
    const { port } = await serving(() => dial({ port: target.port }));
    expect(await ask(port)).toBe('from afar end');
  });

  test('nothing at all, which sends a FIN', async () => {
    const { port } = await serving(() => EMPTY);
    expect(await ask(port)).toBe(' end');
  });

  test('reading continues after the answer for as long as the handler reads', async () => {
    let received: Recording<string> | undefined;
    const { port, errors } = await serving((socket) => {
      received = record(socket.pipe(data(), lines()));
      return 'bye';
    });
    const peer = rawClient(port);
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    peer.end('one\ntwo\n');
    expect(await received?.ended).toEqual({});
    expect(received?.values).toEqual(['one', 'two']);
    expect(errors()).toEqual([]);
  });

  test('the answer to a request that ended is still sent', async () => {
    const { port } = await serving((socket) =>
      socket.pipe(
        data(),
        lines(),
        map((line) => `${line}!\n`),
      ),
    );
    expect(await ask(port, 'a\nb')).toBe('a!\nb!\n end');
  });
});

test('an async handler may write its answer itself, and return nothing', async () => {
  const onError = vi.fn();
  const handler = async (socket: Socket) => {
    const input = reader(socket);
    await socket.write(`hello ${await input.readLine()}`);
  };
  const { port, errors } = await serving(handler, { onError });
  const client = rawClient(port);
  client.end('world\n');
  const { bytes, end } = await drainRaw(client);
  expect([bytes.toString(), end]).toEqual(['hello world', 'end']);
  await turns();
  expect([errors(), onError.mock.calls]).toEqual([[], []]);
});

test.each<[string, (socket: Socket) => unknown]>([
  ['complete()', (socket) => socket.complete()],
  ['close()', (socket) => socket.close()],
  ['await using', (socket) => socket[Symbol.asyncDispose]()],
])('an async handler may end its connection itself, with %s', async (_how, end) => {
  const { port, errors, server } = await serving(async (socket) => {
    await socket.write('bye');
    await end(socket);
  });
  expect(await ask(port)).toBe('bye end');
  await expect.poll(() => server.sockets.size).toBe(0);
  expect(errors()).toEqual([]);
});

test('an async handler that fails when its connection has closed is reported as a bug', async () => {
  const onError = vi.fn();
  const bug = new TypeError('a bug');
  const handler = async (socket: Socket) => {
    await socket.close();
    await turns();
    throw bug;
  };
  const { port, errors, server } = await serving(handler, { onError });
  await ask(port);
  await expect.poll(() => onError.mock.calls).toEqual([[bug, expect.anything()]]);
  expect(server.sockets.size).toBe(0);
  expect(errors()).toEqual([]);
});

test('an async handler that returns an Observable is told what to do', async () => {
  const onError = vi.fn();
  const handler = async () => of('an answer');
  const { port, errors } = await serving(handler as never, { onError });
  expect(await ask(port)).toBe(' ECONNRESET');
  const error = expect.objectContaining({
    name: 'TypeError',
    message:
      'An async handler returns one chunk or nothing, not an Observable: return from(promise).pipe(switchMap(…))',
  });
  expect(onError.mock.calls).toEqual([[error, expect.anything()]]);
  expect(errors()).toEqual([expect.objectContaining({ error })]);
});

test('an async handler that fails because its connection has failed is not reported as a bug', async () => {
  const onError = vi.fn();
  const failed = vi.fn();
  const handler = async (socket: Socket) => {
    const bytes = reader(socket);
    await bytes.readLine();
    await bytes.readLine().catch(failed);
    await socket.write('x');
  };
  const { port, errors } = await serving(handler, { onError });
  const peer = rawClient(port);
  peer.write('first\n');
  await once(peer, 'connect');
  await turns();
  peer.resetAndDestroy();
  await expect.poll(() => failed.mock.calls.length).toBe(1);
  await turns();
  expect(errors()).toHaveLength(1);
  expect(onError).not.toHaveBeenCalled();
});

test('the work of a thenable is done once', async () => {
  let calls = 0;
  const lazy: PromiseLike<string> = {
    // biome-ignore lint/suspicious/noThenProperty: that is what a thenable is.
    then: (...handlers) => {
      calls++;
      return Promise.resolve('lazy').then(...handlers);
    },
  };
  const { port } = await serving(() => lazy);
  expect(await ask(port)).toBe('lazy end');
  expect(calls).toBe(1);
});

test('a property that is called then, and is no function, makes no promise', async () => {
  const answer = of('an answer');
  Reflect.set(answer, 'then', 1);
  const { port } = await serving(() => answer);
  expect(await ask(port)).toBe('an answer end');
});

describe('a handler that fails', () => {
  const bug = new Error('a bug');
  const failing: [string, () => HandlerResult][] = [
    [
      'throws',
      () => {
        throw bug;
      },
    ],
    ['rejects', () => Promise.reject(bug)],
    ['rejects without a reason', () => Promise.reject()],
    ['answers with an error', () => throwError(() => bug)],
    [
      'answers with a part and an error',
      () =>
        new Observable<string>((subscriber) => {
          subscriber.next('part');
          subscriber.error(bug);
        }),
    ],
    ['answers with a value that cannot be written', () => [7 as never]],
    ['answers with a value that RxJS does not know', () => 7 as never],
  ];
  test.each(failing)(
    'causes one connectionError, onError and a reset, and the others continue: %s',
    async (_name, handler) => {
      const onError = vi.fn();
      let bad = true;
      const { port, errors, log } = await serving(
        (socket) => {
          if (!bad) return socket;
          bad = false;
          return handler();
        },
        { onError },
      );
      const broken = rawClient(port);
      const before = rawClient(port);
      expect((await drainRaw(broken)).end).not.toBe('close');
      before.end('before');
      expect(`${(await drainRaw(before)).bytes}`).toBe('before');
      expect(await ask(port, 'after')).toBe('after end');
      expect(errors()).toHaveLength(1);
      expect(onError).toHaveBeenCalledTimes(1);
      expect(onError).toHaveBeenCalledWith(errors()[0]?.error, errors()[0]?.socket);
      expect(log).not.toContain('complete');
    },
  );

  test('aborts the connection even if onError throws', async () => {
    const unhandled = vi.fn();
    config.onUnhandledError = unhandled;
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const onError = () => {
      throw new Error('another bug');
    };
    const handler = () => {
      throw bug;
    };
    const { port, errors } = await serving(handler, { onError });
    expect((await drainRaw(rawClient(port))).end).not.toBe('close');
    expect(errors()).toMatchObject([{ error: bug }]);
    await expect.poll(() => unhandled.mock.calls).toMatchObject([[{ message: 'another bug' }]]);
  });

  test('emits a process warning without onError', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { port, errors } = await serving(() => throwError(() => bug));
    await drainRaw(rawClient(port));
    await expect.poll(() => errors()).toMatchObject([{ error: bug }]);
    expect(warn).toHaveBeenCalledTimes(1);
    const peer = expect.stringMatching(/^A handler of serve\(\) failed for 127\.0\.0\.1:\d+: Error: a bug\n +at /);
    expect(warn).toHaveBeenCalledWith(peer, { code: 'ERR_SERVE_HANDLER' });
    warn.mockRestore();
  });

  test('a peer that resets causes one connectionError and is not reported as a bug', async () => {
    const onError = vi.fn();
    const { port, errors } = await serving((socket) => socket, { onError });
    await reset(port);
    await expect.poll(() => errors()).toMatchObject([{ error: { code: 'ECONNRESET' } }]);
    expect(await ask(port, 'on')).toBe('on end');
    expect(errors()).toHaveLength(1);
    expect(onError).not.toHaveBeenCalled();
  });

  test('a connection whose answer never ends delays no other, and is cut with the server', async () => {
    let first = true;
    const { server, port, errors } = await serving((socket) => {
      if (!first) return socket;
      first = false;
      return NEVER;
    });
    const waiting = rawClient(port);
    waiting.end();
    expect(await ask(port, 'on')).toBe('on end');
    expect(errors()).toEqual([]);
    const closed = server.close({ drain: 0 });
    expect((await drainRaw(waiting)).end).toBe('ECONNRESET');
    await closed;
    expect(errors()).toHaveLength(1);
  });

  test('the answer is unsubscribed when its connection closes', async () => {
    const teardown = vi.fn();
    const { port } = await serving(() => new Observable<string>(() => teardown));
    await reset(port);
    await expect.poll(() => teardown.mock.calls).toHaveLength(1);
  });
});

describe('ending the server', () => {
  test('a handler that ends the socket on its own and adds nothing has not failed when the connection closes', async () => {
    const unsubscribed = vi.fn();
    const { port, errors } = await serving((socket) => {
      socket.next('whole');
      socket.complete();
      socket.pipe(data()).subscribe();
      return new Observable<never>(() => unsubscribed);
    });
    expect(await ask(port)).toBe('whole end');
    await expect.poll(() => unsubscribed.mock.calls.length).toBe(1);
    expect(errors()).toEqual([]);
  });

  test('a handler that ends the socket on its own in the middle of its answer has failed', async () => {
    const { port, errors } = await serving((socket) => {
      socket.pipe(data()).subscribe({ complete: () => socket.complete() });
      return concat(of('a part'), NEVER);
    });
    expect(await ask(port)).toBe('a part end');
    await expect.poll(errors).toMatchObject([{ error: { code: 'ERR_STREAM_PREMATURE_CLOSE' } }]);
  });

  test('unsubscribing stops it and aborts unfinished answers', async () => {
    const { port, subscription, server, log } = await serving((socket) => socket);
    const peer = rawClient(port);
    peer.write('x');
    await once(peer, 'readable');
    const length = log.length;
    subscription.unsubscribe();
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    await expect.poll(() => server.sockets.size).toBe(0);
    const refused = net.connect({ port, host: '127.0.0.1' });
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    expect(log).toHaveLength(length);
  });

  test('no handler runs for a connection at whose event the subscriber unsubscribes', async () => {
    const handler = vi.fn(() => NEVER);
    const server = listen();
    const { log, ended } = record<Event>(server.pipe(serve(handler), take(2)));
    onTestFinished(() => server.close({ drain: 0 }));
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    rawClient(address.port);
    await ended;
    await turns();
    expect(log).toEqual(['listening', 'connection', 'complete']);
    expect(handler).not.toHaveBeenCalled();
  });

  test('close({ drain }) lets an answer finish', async () => {
    const { server, port, errors } = await serving(() => timer(30).pipe(map(() => 'late')));
    const peer = rawClient(port);
    await expect.poll(() => server.sockets.size).toBe(1);
    const closed = server.close({ drain: 5000 });
    peer.end();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('late'), end: 'end' });
    await closed;
    expect(errors()).toEqual([]);
    expect(server.sockets.size).toBe(0);
  });
});

describe('backpressure', () => {
  test('a full connection holds what feeds its own answer, and nothing else', async () => {
    let sockets: Socket[] = [];
    const { port } = await serving((socket) => {
      sockets = [...sockets, socket];
      return socket;
    });
    const full = rawClient(port);
    const chunk = Buffer.alloc(1_000_000);
    for (let i = 0; i < 30; i++) full.write(chunk);
    await expect.poll(() => sockets[0]?.holds).toEqual(['writeTo']);
    expect(await ask(port, 'on')).toBe('on end');
    expect(sockets[0]?.bytesRead).toBeLessThan(30_000_000);
    full.end();
    expect((await drainRaw(full)).bytes).toHaveLength(30_000_000);
  });

  test('half a million small values for a peer that keeps up do not delay other connections', async () => {
    const COUNT = 500_000;
    let made = 0;
    function* values() {
      for (; made < COUNT; made++) yield Buffer.alloc(16);
    }
    const answers = [() => flowFrom(values()), () => 'hello'];
    const { port, errors } = await serving(() => answers.shift()?.() ?? EMPTY);
    // Not in this process: otherwise the peer could not keep up.
    const peer = startPeer('read.pl', 'tcp', port, 16 * COUNT, 1e9);
    onTestFinished(() => peer.kill());
    await expect.poll(() => made).toBeGreaterThan(0);
    expect(await ask(port)).toBe('hello end');
    expect(made).toBeLessThan(COUNT);
    expect(await peer.line()).toBe('paused');
    peer.go();
    expect(await peer.line()).toBe(`${16 * COUNT} eof`);
    expect(errors()).toEqual([]);
  });
});

describe('relay()', () => {
  test('forwards both directions and each half-close', async () => {
    const target = await rawServer();
    const { port, errors } = await serving((socket) => relay(socket, dial({ port: target.port })));
    const near = rawClient(port);
    const far = await target.next();
    near.end('request');
    expect(await drainRaw(far)).toEqual({ bytes: Buffer.from('request'), end: 'end' });
    far.end('late reply');
    expect(await drainRaw(near)).toEqual({ bytes: Buffer.from('late reply'), end: 'end' });
    expect(errors()).toEqual([]);
  });

  test.each(['near', 'far'] as const)('a reset of the %s side resets the other', async (side) => {
    const target = await rawServer();
    const { port, errors } = await serving((socket) => relay(socket, dial({ port: target.port })));
    const near = rawClient(port);
    const far = await target.next();
    const [broken, other] = side === 'near' ? [near, far] : [far, near];
    broken.resetAndDestroy();
    expect((await drainRaw(other)).end).toBe('ECONNRESET');
    await expect.poll(() => errors()).toHaveLength(1);
  });

  test('a target that resets after its end, while the client writes, is one error', async () => {
    const target = await rawServer();
    const { port, errors } = await serving((socket) => relay(socket, dial({ port: target.port })));
    const near = rawClient(port);
    const far = await target.next();
    far.end('answer');
    expect(await drainRaw(near)).toEqual({ bytes: Buffer.from('answer'), end: 'end' });
    const write = () => void near.write(Buffer.alloc(65_536), (error) => !error && write());
    write();
    far.resetAndDestroy();
    await expect.poll(() => errors()).toHaveLength(1);
  });

  test('a target that refuses the connection resets the client', async () => {
    const target = await rawServer();
    target.close();
    const { port, errors } = await serving((socket) => relay(socket, dial({ port: target.port })));
    expect((await drainRaw(rawClient(port))).end).toBe('ECONNRESET');
    await expect.poll(() => errors()).toMatchObject([{ error: { code: 'ECONNREFUSED' } }]);
  });
});
