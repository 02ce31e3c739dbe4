// SocketGroup: which sockets are in it, writing to all, and reading all as one.
import { mapWithBackpressure, type Socket } from '@rxsock/core';
import { type SocketGroupEvent, SocketRegistry } from '@rxsock/core/registry';
import { VirtualClock } from '@rxsock/core/testing';
import { filter, type Observable, of, Subject, share, take, tap } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { dial, drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { registered } from './support.js';

/** Everything that a group emits, as `name:type`, with the bytes of `data` and the code of an error. */
function recordGroup(events: Observable<SocketGroupEvent>) {
  const log: string[] = [];
  const subscription = events.subscribe(({ socket, event }) => {
    const detail =
      event.type === 'data'
        ? event.data.toString()
        : event.type === 'connectionError'
          ? (event.error as { readonly code: string }).code
          : event.type;
    log.push(`${socket.name}:${detail}`);
  });
  onTestFinished(() => subscription.unsubscribe());
  return { log, subscription };
}

test('contains the sockets that match, at any time', async () => {
  const { registry, sockets } = await registered(['www1', 'irc', 'www2']);
  const [www1, irc, www2] = sockets;
  const web = registry.match('www*');
  expect([...web]).toEqual([www1, www2]);
  www1?.error();
  await www1?.close();
  expect([...web]).toEqual([www2]);
  registry.add(irc!, 'www3');
  expect([...web]).toEqual([www2, irc]);
  registry.add(irc!, 'irc');
  expect([...web]).toEqual([www2]);
  expect([...registry.match('nobody*')]).toEqual([]);
});

describe('writing', () => {
  test('reaches all matching sockets and no other, with FIN too', async () => {
    const { registry, peers } = await registered(['www1', 'irc', 'www2']);
    const web = registry.match('www*');
    expect(web.next('one ')).toBe(true);
    expect(web.next(Buffer.from('two'))).toBe(true);
    web.complete();
    for (const peer of [peers[0], peers[2]])
      expect(await drainRaw(peer!)).toEqual({ bytes: Buffer.from('one two'), end: 'end' });
    expect(registry.get('irc')?.bytesWritten).toBe(0);
    expect(registry.get('irc')?.readyState).toBe('open');
  });

  test('through the group as the end of a pipeline reaches all', async () => {
    const { registry, peers } = await registered(['a', 'b']);
    of('x', 'y').subscribe(registry.match('*'));
    for (const peer of peers) expect((await drainRaw(peer)).bytes.toString()).toBe('xy');
  });

  test('an error aborts all with it', async () => {
    const { registry, sockets, peers } = await registered(['a', 'b']);
    const reason = new Error('enough');
    registry.match('*').error(reason);
    for (const socket of sockets) expect((await socket.close()).how).toBe('abort');
    for (const peer of peers) expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(registry.size).toBe(0);
  });

  test('to an empty group returns true', async () => {
    const group = new SocketRegistry().match('*');
    expect(group.next('x')).toBe(true);
    group.complete();
    group.error();
    group.mark(1);
    expect(await group.close()).toEqual([]);
  });

  test('returns false if any socket is full, and the others get their bytes', async () => {
    const { registry, peers } = await registered(['quick', 'slow'], { highWaterMark: 10 });
    const slow = registry.get('slow') as Socket;
    while (slow.next(Buffer.alloc(1_000_000))) await turns(1);
    expect(slow.writableLength).toBeGreaterThan(0);
    expect(registry.match('*').next('x')).toBe(false);
    expect(registry.match('q*').next('y')).toBe(true);
    const bytes = await new Promise((resolve) => peers[0]?.once('data', resolve).resume());
    expect(String(bytes)[0]).toBe('x');
    const { log } = recordGroup(registry.match('slow'));
    peers[1]?.resume();
    await expect.poll(() => log).toContain('slow:drain');
    expect(registry.match('*').next('z')).toBe(true);
  });

  test('fails only a socket that overflows, and the group does not wait for it', async () => {
    const { registry, sockets, peers } = await registered(['a-slow', 'quick'], {
      maxWriteBuffer: 1,
      highWaterMark: 10,
    });
    const slow = sockets[0] as Socket;
    const { log } = recordGroup(registry.match('*slow'));
    while (slow.next(Buffer.alloc(1_000_000))) await turns(1);
    expect(registry.match('*').next('x')).toBe(true);
    await expect.poll(() => log.at(-1)).toBe('a-slow:ERR_WRITE_BUFFER_OVERFLOW');
    const bytes = await new Promise((resolve) => peers[1]?.once('data', resolve).resume());
    expect(String(bytes)).toBe('x');
  });

  test('skips sockets whose write side is closed, without a warning', async () => {
    const { registry, sockets, peers } = await registered(['half', 'whole'], { allowHalfOpen: true });
    const warn = vi.spyOn(process, 'emitWarning');
    onTestFinished(() => warn.mockRestore());
    sockets[0]?.complete();
    expect(registry.match('*').next('x')).toBe(true);
    expect(await drainRaw(peers[0]!)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
    expect(warn).not.toHaveBeenCalled();
    expect(sockets[1]?.bytesWritten).toBe(1);
  });

  test('an invalid chunk throws and harms no socket', async () => {
    const { registry, sockets } = await registered(['a', 'b']);
    expect(() => registry.match('*').next(5 as never)).toThrow(TypeError);
    expect(() => new SocketRegistry().match('*').next(5 as never)).toThrow(TypeError);
    expect(sockets.map(({ bytesWritten, readyState }) => [bytesWritten, readyState])).toEqual([
      [0, 'open'],
      [0, 'open'],
    ]);
  });
});

test('marks all', async () => {
  const { registry, sockets } = await registered(['a1', 'b', 'a2']);
  registry.match('a*').mark({ room: 1 });
  expect(sockets.map(({ mark }) => mark)).toEqual([{ room: 1 }, undefined, { room: 1 }]);
});

test('close() closes all and reports how each ended, failed ones too', async () => {
  const { registry, sockets, peers } = await registered(['good', 'bad', 'other']);
  registry.match('*').next('bye');
  peers[0]?.end();
  const closing = registry.match('?*d').close({ timeout: 10_000 });
  expect(sockets.map(({ readyState }) => readyState)).toEqual(['closing', 'closing', 'open']);
  expect((await drainRaw(peers[0]!)).bytes.toString()).toBe('bye');
  await drainRaw(peers[1]!);
  peers[1]?.resetAndDestroy();
  expect((await closing).map(({ how }) => how)).toEqual(['fin', 'reset']);
  expect(registry.names()).toEqual(['other']);
});

describe('reading', () => {
  test('emits the events of each socket, with the socket', async () => {
    const { registry, peers } = await registered(['www1', 'irc', 'www2']);
    const { log } = recordGroup(registry.match('www*'));
    expect(log).toEqual(['www1:connect', 'www2:connect']);
    peers[2]?.write('second');
    await expect.poll(() => log).toContain('www2:second');
    peers[0]?.end('first');
    await expect.poll(() => log).toContain('www1:close');
    peers[1]?.write('not for us');
    await turns();
    expect(log.slice(2)).toEqual(['www2:second', 'www1:first', 'www1:end', 'www1:finish', 'www1:close']);
  });

  test('dials idle sockets', async () => {
    const server = await rawServer((peer) => peer.end('hi'));
    const registry = new SocketRegistry();
    registry.add(dial({ port: server.port }), 'lazy');
    await turns();
    expect(server.peers).toHaveLength(0);
    const { log } = recordGroup(registry.match('lazy'));
    await expect.poll(() => log.at(-1)).toBe('lazy:close');
    expect(log).toContain('lazy:hi');
  });

  test('includes sockets that join later, by their name or by a new one', async () => {
    const { registry, sockets, peers } = await registered(['irc']);
    const { log } = recordGroup(registry.match('www*'));
    expect(log).toEqual([]);
    const { socket, peer } = await pair();
    registry.add(socket, 'www1');
    peer.write('one');
    await expect.poll(() => log).toEqual(['www1:connect', 'www1:one']);
    registry.add(sockets[0]!, 'www2');
    peers[0]?.write('two');
    await expect.poll(() => log.slice(2)).toEqual(['www2:connect', 'www2:two']);
    registry.add(sockets[0]!, 'www3');
    expect(log).toHaveLength(4);
  });

  test('excludes sockets that are renamed out of it', async () => {
    const { registry, sockets, peers } = await registered(['www1']);
    const { log } = recordGroup(registry.match('www*'));
    registry.add(sockets[0]!, 'gone');
    peers[0]?.write('late');
    await turns();
    expect(log).toEqual(['www1:connect']);
    registry.add(sockets[0]!, 'www1');
    await expect.poll(() => log).toEqual(['www1:connect', 'www1:connect', 'www1:late']);
  });

  test('reports the error of a socket, and continues', async () => {
    const { registry, peers } = await registered(['a', 'b']);
    const group = registry.match('*');
    const { log, subscription } = recordGroup(group);
    peers[0]?.resetAndDestroy();
    await expect.poll(() => log.slice(2)).toEqual(['a:close', 'a:ECONNRESET']);
    peers[1]?.end('on');
    await expect.poll(() => log.at(-1)).toBe('b:close');
    expect(subscription.closed).toBe(false);
    const { socket, peer } = await pair();
    registry.add(socket, 'a');
    peer.write('again');
    await expect.poll(() => log.at(-1)).toBe('a:again');
  });

  test('unsubscribing leaves all sockets, and later ones are not read', async () => {
    const scheduler = new VirtualClock();
    const { registry, sockets, peers } = await registered(['a', 'b'], { keepOpen: 1000, scheduler });
    const { log, subscription } = recordGroup(registry.match('*'));
    scheduler.tick(1000);
    expect(sockets.map(({ readyState }) => readyState)).toEqual(['open', 'open']);
    subscription.unsubscribe();
    scheduler.tick(1000);
    await Promise.all(peers.map(async (peer) => expect((await drainRaw(peer)).end).toBe('end')));
    const idle = registry.add(dial({ port: 1 }), 'c');
    expect(idle.readyState).toBe('idle');
    expect(log).toEqual(['a:connect', 'b:connect']);
  });

  test('unsubscribing at the first event subscribes to no further sockets', async () => {
    const { registry } = await registered(['a']);
    const idle = registry.add(dial({ port: 1 }), 'b');
    const seen: string[] = [];
    registry
      .match('*')
      .pipe(take(1))
      .subscribe(({ socket }) => seen.push(socket.name));
    expect(seen).toEqual(['a']);
    expect(idle.readyState).toBe('idle');
  });
});

describe('backpressure', () => {
  test.each(['straight', 'behind share()'])('a slow consumer holds all sockets, later ones too: %s', async (where) => {
    const { registry, sockets, peers } = await registered(['a', 'b']);
    const work = new Subject<void>();
    const group = registry.match('*');
    const events = where === 'straight' ? group : group.pipe(share());
    const seen: string[] = [];
    const subscription = events
      .pipe(
        filter(({ event }) => event.type === 'data'),
        mapWithBackpressure(
          ({ socket }) => {
            seen.push(socket.name);
            return work;
          },
          { highWaterMark: 1 },
        ),
      )
      .subscribe();
    peers[0]?.write('1');
    await expect.poll(() => seen).toEqual(['a']);
    peers[1]?.write('2');
    await expect
      .poll(() => sockets.map(({ holds }) => holds))
      .toEqual([['mapWithBackpressure'], ['mapWithBackpressure']]);
    const { socket } = await pair();
    registry.add(socket, 'c');
    expect(socket.holds).toEqual(['mapWithBackpressure']);
    subscription.unsubscribe();
    expect([...sockets, socket].map(({ holds }) => holds)).toEqual([[], [], []]);
  });

  test('hold() holds all sockets that the group reads', async () => {
    const { registry, sockets, peers } = await registered(['a', 'b', 'x1']);
    const group = registry.match('?');
    const { log } = recordGroup(group);
    const release = group.hold('lunch');
    expect(group.holds).toEqual(['lunch']);
    expect(sockets.map(({ holds }) => holds)).toEqual([['lunch'], ['lunch'], []]);
    peers[0]?.write('late');
    await turns();
    expect(log).toEqual(['a:connect', 'b:connect']);
    release();
    await expect.poll(() => log.at(-1)).toBe('a:late');
  });
});

test('a subscriber that renames a socket at its first event hides it from the next one', async () => {
  const { registry, sockets } = await registered(['away', 'room']);
  const [moved] = sockets;
  const first = recordGroup(registry.match('lobby*').pipe(tap(({ socket }) => void registry.add(socket, 'other'))));
  const second = recordGroup(registry.match('lobby*'));
  registry.add(moved!, 'lobby');
  expect(first.log).toEqual(['other:connect']);
  expect(second.log).toEqual([]);
});

test('a subscriber that renames a socket while it subscribes does not read it', async () => {
  const { registry, sockets } = await registered(['www1', 'www2']);
  const rename = tap(({ socket }: SocketGroupEvent) => {
    if (socket === sockets[0]) registry.add(sockets[1]!, 'other');
  });
  expect(recordGroup(registry.match('www*').pipe(rename)).log).toEqual(['www1:connect']);
});
