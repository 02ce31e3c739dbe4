// Hosts: how names are spelled on the wire, which answers of a lookup are accepted, and which addresses are tried.
import { ConnectError, connect, data } from '@rxsock/core';
import { describe, expect, test, vi } from 'vitest';
import { closedPort, dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { answers, listenOn, resolvesTo } from '../support/dials.js';

const host = 'several.test';

/** Dials and returns the addresses that were tried, and the error. */
async function failedDial(options: Partial<Parameters<typeof connect>[0]>) {
  const { values, ended } = record(dial({ port: await closedPort(), ...options }));
  const { error } = await ended;
  expect(error).toBeInstanceOf(ConnectError);
  const tried = values.flatMap((event) => (event.type === 'connectionAttempt' ? [event.address] : []));
  return { error: error as ConnectError, tried };
}

describe('a name', () => {
  test.each([
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['MÜNCHEN.example.', 'xn--mnchen-3ya.example.'],
    ['_sip.例え.test', '_sip.xn--r8jz45g.test'],
    ['Several.TEST', 'Several.TEST'],
    ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['a_b.test', 'a_b.test'],
    ['127.1', '127.1'],
    ['[several.test]', '[several.test]'],
  ])('%s is looked up as %s', async (name, wire) => {
    const lookup = vi.fn(resolvesTo('127.0.0.2'));
    const { error } = await failedDial({ host: name, lookup });
    expect(lookup.mock.calls.map(([looked]) => looked)).toEqual([wire]);
    // Messages keep the user's spelling.
    expect(error.message).toContain(`Cannot connect to ${name}:`);
  });

  test('lookup events have the name of the wire', async () => {
    const { values, ended } = record(
      dial({ port: await closedPort(), host: 'münchen.example', lookup: resolvesTo('127.0.0.2') }),
    );
    await ended;
    const lookup = { type: 'lookup', host: 'xn--mnchen-3ya.example', address: '127.0.0.2', family: 'IPv4' };
    expect(values[0]).toEqual(lookup);
  });

  test.each(['xn--iñvalid.example', 'ü/x', 'ü:80', 'ü?', 'ü@x', 'ü x', 'ü\tx', '\u00ad', '[ü]'])(
    'rejects %j at the call: it has no A-labels',
    (name) => {
      expect(() => connect({ port: 1, host: name })).toThrow(
        new TypeError(`host must be a host name or an address, not ${JSON.stringify(name).replaceAll('"', "'")}`),
      );
    },
  );
});

describe('an address', () => {
  test('in brackets, as in a URL, is dialled without a lookup', async () => {
    const { port } = await listenOn(0, '::1');
    const lookup = vi.fn();
    const socket = dial({ port, host: new URL(`tcp://[::1]:${port}`).hostname, lookup });
    const { values } = record(socket);
    expect(socket.readyState).toBe('connecting');
    await opened(socket);
    expect(socket.remote).toEqual({ address: '::1', port, family: 'IPv6' });
    expect(values.map(({ type }) => type)).toEqual(['connectionAttempt', 'connect']);
    expect(lookup).not.toHaveBeenCalled();
  });

  test('in brackets is named once in messages', async () => {
    const port = await closedPort();
    const { error } = await failedDial({ port, host: '[::1]' });
    expect(error.message).toBe(`Cannot connect to [::1]:${port}: ::1 ECONNREFUSED`);
  });
});

describe('the answer of a lookup', () => {
  test.each([
    ['a string', answers('127.0.0.1', 4)],
    ['a list', answers([{ address: '127.0.0.1', family: 4 }])],
    ['a list of strings', answers(['127.0.0.1'])],
    ['a list with the wrong family', answers([{ address: '127.0.0.1', family: 6 }])],
    ['a list with entries that are not addresses', answers([null, undefined, {}, '', 7, '1.2.3', '127.0.0.1'])],
  ])('may be %s', async (_what, lookup) => {
    const server = await rawServer((peer) => peer.end('here'));
    const { log, ended } = record(dial({ port: server.port, host, lookup }).pipe(data()));
    expect(await ended).toEqual({});
    expect(log).toEqual(['here', 'complete']);
  });

  test.each([
    ['an empty list', answers([])],
    ['an empty string', answers('')],
    ['nothing', answers()],
    ['null', answers(null)],
    ['a list of nothing', answers([undefined, {}])],
  ])('%s is ENOTFOUND', async (_what, lookup) => {
    const { error, tried } = await failedDial({ host, lookup, port: 80 });
    expect(error).toMatchObject({ code: 'ENOTFOUND', attempts: [], phase: 'open' });
    expect(error.message).toBe(`Cannot connect to ${host}:80: the host has no address`);
    expect(tried).toEqual([]);
  });

  test('without any address in it is an error that shows it', async () => {
    const { error } = await failedDial({ host, lookup: answers(['1.2.3', 'nonsense']), port: 80 });
    expect(error.code).toBe('ERR_INVALID_IP_ADDRESS');
    expect(error.message).toBe(`Cannot connect to ${host}:80: the lookup returned '1.2.3', which is not an IP address`);
  });

  test('may come at once: subscribers of the same turn still receive the events', async () => {
    const server = await rawServer();
    const socket = dial({ port: server.port, host, lookup: (_host, _options, done) => done(null, '127.0.0.1', 4) });
    const first = record(socket);
    const second = record(socket);
    expect(first.log).toEqual([]);
    await opened(socket);
    expect(second.log).toEqual(['lookup', 'connectionAttempt', 'connect']);
  });
});

const mixed = resolvesTo('127.0.0.2', '::1', '127.0.0.3');

describe('which addresses are tried', () => {
  test.each([
    ['of both families', {}, 0, ['127.0.0.2', '::1', '127.0.0.3']],
    ['of family 4', { family: 4 }, 4, ['127.0.0.2', '127.0.0.3']],
    ['of family 6', { family: 6 }, 6, ['::1']],
    ['of the family of an IPv4 localAddress', { localAddress: '127.0.0.1' }, 4, ['127.0.0.2', '127.0.0.3']],
    ['of the family of an IPv6 localAddress', { localAddress: '::1' }, 6, ['::1']],
  ] as const)('%s', async (_which, options, family, expected) => {
    const lookup = vi.fn(mixed);
    const { error, tried } = await failedDial({ host, lookup, ...options });
    expect(tried).toEqual(expected);
    expect(error.attempts.map(({ address }) => address)).toEqual(expected);
    expect(lookup.mock.calls[0]?.[1]).toEqual({ all: true, family });
  });

  test('localAddress is where each attempt comes from', async () => {
    const server = await rawServer();
    const lookup = resolvesTo('127.0.0.2', '127.0.0.1');
    const socket = dial({ port: server.port, host, lookup, localAddress: '127.0.0.9' });
    await opened(socket);
    expect(socket.local).toMatchObject({ address: '127.0.0.9' });
    expect((await server.next()).remoteAddress).toBe('127.0.0.9');
  });

  test.each([
    ['a name', { host, lookup: mixed, family: 6, localAddress: '::1' }, ['::1']],
    ['a name without such an address', { host, lookup: resolvesTo('127.0.0.2'), family: 6 }, []],
    ['an address of the other family', { host: '127.0.0.2', family: 6 }, []],
    ['an address of another family than localAddress', { host: '127.0.0.2', localAddress: '::1' }, []],
  ] as const)('%s: none of the other family', async (_what, options, expected) => {
    const { error, tried } = await failedDial(options);
    expect(tried).toEqual(expected);
    if (expected.length > 0) return;
    expect(error).toMatchObject({ code: 'ENOTFOUND', attempts: [] });
    expect(error.message).toContain(': the host has no IPv6 address');
  });

  test('rejects a localAddress of another family than family', () => {
    expect(() => connect({ port: 1, family: 6, localAddress: '127.0.0.1' })).toThrow(
      new TypeError("localAddress must be an IPv6 address, as family says, not '127.0.0.1'"),
    );
  });
});
