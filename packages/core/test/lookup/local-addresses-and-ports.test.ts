// localAddresses() and isPortFree(): the addresses and ports of this machine.
import { networkInterfaces } from 'node:os';
import { listen } from '@rxsock/core';
import { isPortFree, localAddresses } from '@rxsock/core/lookup';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

describe('localAddresses()', () => {
  afterEach(() => vi.restoreAllMocks());

  test('includes the loopback', () => {
    const loopback = localAddresses().find(({ address }) => address === '127.0.0.1');
    expect(loopback).toMatchObject({ address: '127.0.0.1', family: 'IPv4', internal: true });
    expect(Object.keys(networkInterfaces())).toContain(loopback?.interface);
  });

  test('returns only the requested kinds', () => {
    const all = localAddresses();
    expect(localAddresses({ family: 0 })).toEqual(all);
    expect(localAddresses({ family: 4 })).toEqual(all.filter(({ family }) => family === 'IPv4'));
    expect(localAddresses({ family: 6 })).toEqual(all.filter(({ family }) => family === 'IPv6'));
    expect(localAddresses({ internal: true })).toEqual(all.filter(({ internal }) => internal));
    expect(localAddresses({ internal: false })).toEqual(all.filter(({ internal }) => !internal));
    expect(localAddresses({ family: 4, internal: true })).toContainEqual(
      expect.objectContaining({ address: '127.0.0.1' }),
    );
    expect(localAddresses({ family: 6 }).map(({ address }) => address)).not.toContain('127.0.0.1');
    expect(localAddresses({ internal: false }).map(({ address }) => address)).not.toContain('127.0.0.1');
  });

  test.each([5, '4', Number.NaN])('rejects the family %o', (family) => {
    expect(() => localAddresses({ family: family as 4 })).toThrow(typeof family === 'number' ? RangeError : TypeError);
  });
});

describe('isPortFree()', () => {
  test('returns false while a server listens, and true afterwards', async () => {
    const server = listen();
    const { log, subscription } = record(server);
    await expect.poll(() => log).toEqual(['listening']);
    const { port } = server.address as { readonly port: number };
    expect(await isPortFree(port)).toBe(false);
    expect(await isPortFree(port, { host: '[::1]' })).toBe(true);
    subscription.unsubscribe();
    await server.close();
    expect(await isPortFree(port)).toBe(true);
    expect(await isPortFree(port)).toBe(true);
  });

  test('checks one address', async () => {
    const { port } = await rawServer();
    expect(await isPortFree(port, { host: '127.0.0.1' })).toBe(false);
    expect(await isPortFree(port, { host: '127.0.0.2' })).toBe(true);
  });

  test('rejects if the port cannot be checked', async () => {
    await expect(isPortFree(7000, { host: '203.0.113.7' })).rejects.toMatchObject({
      name: 'SocketError',
      code: 'EADDRNOTAVAIL',
      phase: 'open',
      message: expect.stringContaining('Cannot listen on 203.0.113.7:7000'),
    });
  });

  test.each([0, -1, 65_536, 1.5, '80', undefined])('rejects %o as a port', (port) => {
    expect(() => isPortFree(port as number)).toThrow(typeof port === 'number' ? RangeError : TypeError);
  });

  test.each(['', null])('rejects %o as a host', (host) => {
    expect(() => isPortFree(7000, { host: host as string })).toThrow(TypeError);
  });
});
