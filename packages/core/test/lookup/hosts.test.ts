// resolveHost() and reverseLookup(): what the system answers, in time, too late, and after an abort.
import dns from 'node:dns';
import { AbortedError, SocketError, SocketTimeoutError } from '@rxsock/core';
import { resolveHost, reverseLookup } from '@rxsock/core/lookup';
import { VirtualClock } from '@rxsock/core/testing';
import { defer, firstValueFrom, from } from 'rxjs';
import { afterEach, describe, expect, test, vi } from 'vitest';

afterEach(() => vi.restoreAllMocks());

/** A resolver that returns what the test gives it. */
function system<F extends 'lookup' | 'lookupService'>(name: F) {
  const spy = vi.spyOn(dns, name).mockImplementation((() => {}) as never);
  return {
    spy,
    answer: (error: NodeJS.ErrnoException | null, ...found: unknown[]) =>
      (spy.mock.lastCall!.at(-1) as unknown as (...answer: unknown[]) => void)(error, ...found),
  };
}

const failure = (code: string) => Object.assign(new Error(`getaddrinfo ${code}`), { code });

describe('resolveHost()', () => {
  test('finds the addresses of a name', async () => {
    expect(await resolveHost('localhost', { family: 4 })).toEqual([{ address: '127.0.0.1', family: 'IPv4' }]);
  });

  test('returns a promise that can be a source', async () => {
    const addresses = firstValueFrom(defer(() => from(resolveHost('localhost', { family: 4 }))));
    expect(await addresses).toHaveLength(1);
  });

  test('returns an address as itself', async () => {
    expect(await resolveHost('192.0.2.1')).toEqual([{ address: '192.0.2.1', family: 'IPv4' }]);
    expect(await resolveHost('2001:db8::1', { family: 6 })).toEqual([{ address: '2001:db8::1', family: 'IPv6' }]);
    expect(await resolveHost('[::1]')).toEqual([{ address: '::1', family: 'IPv6' }]);
  });

  test('returns an address once', async () => {
    const { answer } = system('lookup');
    const found = resolveHost('localhost');
    answer(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]);
    expect(await found).toEqual([
      { address: '127.0.0.1', family: 'IPv4' },
      { address: '::1', family: 'IPv6' },
    ]);
  });

  test('returns all addresses in their order', async () => {
    const { spy, answer } = system('lookup');
    const found = resolveHost('both');
    expect(spy.mock.lastCall?.slice(0, 2)).toEqual(['both', { all: true, family: 0 }]);
    answer(null, [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ]);
    expect(await found).toEqual([
      { address: '::1', family: 'IPv6' },
      { address: '127.0.0.1', family: 'IPv4' },
      { address: '127.0.0.2', family: 'IPv4' },
    ]);
  });

  test('fails for a name that does not exist', async () => {
    const { answer } = system('lookup');
    const found = resolveHost('no-such-host.invalid');
    const cause = failure('ENOTFOUND');
    answer(cause);
    const error = await found.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SocketError);
    expect(error).toMatchObject({ code: 'ENOTFOUND', phase: 'open', cause });
    expect((error as Error).message).toBe("Cannot find the host 'no-such-host.invalid': getaddrinfo ENOTFOUND");
  });

  test.each(['no-such-host.invalid', '*.invalid'])('fails for %j: the system knows no such host', async (name) => {
    await expect(resolveHost(name)).rejects.toMatchObject({
      name: 'SocketError',
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
  });

  test.each([
    ['127.0.0.1', 6],
    ['::1', 4],
  ] as const)('%s is not an address of the family %i', async (name, family) => {
    await expect(resolveHost(name, { family })).rejects.toMatchObject({
      code: 'ENOTFOUND',
      message: `Cannot find an IPv${family} address of the host '${name}': it has no such address`,
    });
  });

  test('fails if the system finds nothing', async () => {
    const { answer } = system('lookup');
    const found = resolveHost('empty');
    answer(null, []);
    await expect(found).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test.each(['', '127.0.0.1\0.example.com', undefined, null, 5, {}])('rejects %o as a name', (name) => {
    expect(() => resolveHost(name as string)).toThrow(TypeError);
  });

  test.each([
    [{ family: 5 as 4 }, RangeError],
    [{ family: '4' as unknown as 4 }, TypeError],
    [{ timeout: -1 }, RangeError],
    [{ timeout: Number.NaN }, RangeError],
  ])('rejects %o at the call', (options, error) => {
    expect(() => resolveHost('localhost', options)).toThrow(error);
  });
});

describe('reverseLookup()', () => {
  test('finds the name of an address', async () => {
    const { spy, answer } = system('lookupService');
    const found = reverseLookup('192.0.2.1');
    expect(spy.mock.lastCall?.slice(0, 2)).toEqual(['192.0.2.1', 0]);
    answer(null, 'www.example.com', 'http');
    expect(await found).toBe('www.example.com');
  });

  test('asks the system', async () => {
    const name = await reverseLookup('127.0.0.1');
    expect(await resolveHost(name)).toContainEqual({ address: '127.0.0.1', family: 'IPv4' });
  });

  test('fails for an address without a name', async () => {
    const { answer } = system('lookupService');
    const found = reverseLookup('192.0.2.1');
    answer(failure('ENOTFOUND'));
    await expect(found).rejects.toMatchObject({
      name: 'SocketError',
      code: 'ENOTFOUND',
      phase: 'open',
      message: 'Cannot find a host name for 192.0.2.1: getaddrinfo ENOTFOUND',
    });
  });

  test.each(['', 'localhost', '1.2.3', '127.0.0.1\0', '127.0.0.*', undefined, 5])(
    'rejects %o as an address',
    (address) => {
      expect(() => reverseLookup(address as string)).toThrow(TypeError);
    },
  );
});

describe.each([
  ['resolveHost()', 'lookup', (options: object) => resolveHost('somewhere', options)],
  ['reverseLookup()', 'lookupService', (options: object) => reverseLookup('192.0.2.1', options)],
] as const)('%s', (_name, call, ask) => {
  test('gives up after its timeout, and ignores a later answer', async () => {
    const { answer } = system(call);
    const scheduler = new VirtualClock();
    const found = ask({ timeout: 1000, scheduler });
    let settled = false;
    found.then(
      () => {},
      () => {
        settled = true;
      },
    );
    scheduler.tick(999);
    await Promise.resolve();
    expect(settled).toBe(false);
    scheduler.tick(1);
    const error = await found.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SocketTimeoutError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT', phase: 'open', timeout: 'timeout', milliseconds: 1000 });
    answer(failure('ENOTFOUND'));
    answer(null, []);
  });

  test('waits 30 seconds by default, and without limit on request', async () => {
    system(call);
    const scheduler = new VirtualClock();
    const found = ask({ scheduler });
    const unlimited = ask({ scheduler, timeout: 0 });
    scheduler.tick(30_000);
    await expect(found).rejects.toMatchObject({ milliseconds: 30_000 });
    scheduler.tick(1e9);
    expect(await Promise.race([unlimited.catch(() => 'failed'), Promise.resolve('waits')])).toBe('waits');
  });

  test('gives up when it is aborted', async () => {
    const { answer } = system(call);
    const scheduler = new VirtualClock();
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, 'removeEventListener');
    const found = ask({ signal: abort.signal, scheduler });
    const reason = new Error('enough');
    abort.abort(reason);
    const error = await found.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AbortedError);
    expect(error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', phase: 'open', cause: reason });
    expect(removed).toHaveBeenCalledTimes(1);
    expect(scheduler.actions).toEqual([]);
    answer(null, []);
  });

  test('does not ask if it was aborted before', async () => {
    const { spy } = system(call);
    await expect(ask({ signal: AbortSignal.abort('no') })).rejects.toMatchObject({ cause: 'no' });
    expect(spy).not.toHaveBeenCalled();
  });

  test('keeps neither timer nor listener after its answer', async () => {
    const { answer } = system(call);
    const scheduler = new VirtualClock();
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, 'removeEventListener');
    const found = ask({ signal: abort.signal, scheduler });
    answer(null, call === 'lookup' ? [{ address: '::1', family: 6 }] : 'name');
    await found;
    expect(removed).toHaveBeenCalledTimes(1);
    expect(scheduler.actions).toEqual([]);
  });
});
