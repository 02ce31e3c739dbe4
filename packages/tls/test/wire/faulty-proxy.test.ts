// What each fault of faultyProxy() looks like over TLS: the proxy passes the bytes on, and does not know TLS.
import * as tcp from '@rxsock/core';
import { type FaultyProxyOptions, faultyProxy } from '@rxsock/core/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { versions } from '../support/identities.js';
import { dial, nextOf, secured, serverOf } from '../support/peers.js';

type Faults = Omit<FaultyProxyOptions, 'target'>;

const body = Buffer.alloc(100_000, 'rxsock');

describe.each(versions)('%s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  /** A client of ours, a server of ours, and the faults between them. */
  async function proxied(faults: Faults) {
    const { server, port } = await serverOf({ ...only, keepOpen: true, allowHalfOpen: true });
    const proxy = await faultyProxy({ target: { port }, ...faults });
    onTestFinished(() => proxy.close());
    const accepted = nextOf(server);
    const client = dial({ port: proxy.port, servername: 'localhost', ...only, keepOpen: true, allowHalfOpen: true });
    return { client, accepted, server };
  }

  /** The same, after the handshake. */
  async function secure(faults: Faults) {
    const { client, accepted } = await proxied(faults);
    await secured(client);
    return { client, server: await accepted };
  }

  test.each<[string, Faults]>([
    ['latency and jitter', { latency: 5, jitter: 5, seed: 7 }],
    ['bandwidth', { bandwidth: 4_000_000 }],
    ['pieces of a few bytes', { slicer: { averageSize: 500, sizeVariation: 499 }, seed: 7 }],
    ['a slow close', { slowClose: 20 }],
    ['limits that are not reached', { limitData: 1_000_000 }],
  ])('with %s everything arrives, and the end is one', async (_, faults) => {
    const { client, server } = await secure(faults);
    const received = record(server.pipe(tcp.data()));
    const answers = record(client.pipe(tcp.data()));
    client.next(body);
    client.complete();
    expect(await received.ended).toEqual({});
    expect(Buffer.concat(received.values).equals(body)).toBe(true);
    server.next('thanks');
    server.complete();
    expect(await answers.ended).toEqual({});
    expect(answers.values.join('')).toBe('thanks');
  });

  test('a data limit is an end without a close_notify, which is a truncation and not an end', async () => {
    const { client, server } = await secure({ limitData: 20_000, direction: 'fromTarget' });
    const received = record(client);
    server.next(body);
    server.complete();
    expect((await received.ended).error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    expect(received.log).not.toContain('end');
    expect(client.bytesRead).toBeLessThan(20_000);
  });

  test('a data limit in the handshake fails it', async () => {
    const { client } = await proxied({ limitData: 100, direction: 'fromTarget' });
    expect((await record(client).ended).error).toMatchObject({
      phase: 'open',
      code: expect.stringMatching(/^ERR_TLS/),
    });
  });

  test('a timeout in the handshake ends with the handshakeTimeout', async () => {
    const { server, port } = await serverOf(only);
    await using proxy = await faultyProxy({ target: { port }, timeout: { bytes: 100 } });
    const client = dial({ port: proxy.port, servername: 'localhost', ...only, handshakeTimeout: 100 });
    expect((await record(client).ended).error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'handshakeTimeout' });
    await server.close({ drain: 0 });
  });

  test('after a timeout nothing arrives, and then the stream is truncated', async () => {
    const { client, server } = await secure({ timeout: { bytes: 20_000, delay: 50 }, direction: 'toTarget' });
    const received = record(server);
    client.next(body);
    client.complete();
    expect((await received.ended).error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    expect(server.bytesRead).toBeLessThan(20_000);
  });

  test.each<[string, Faults]>([
    ['some bytes', { resetPeer: { bytes: 20_000 }, direction: 'toTarget' }],
    ['some time', { resetPeer: { delay: 200 } }],
  ])('after %s a reset fails both ends, and is never an end', async (_, faults) => {
    const { client, server } = await secure(faults);
    const received = [record(client), record(server)];
    client.next(body);
    for (const { ended, log } of received) {
      // OpenSSL does not always say that it was a reset.
      const code = expect.stringMatching(/^(ECONNRESET|ERR_TLS_TRUNCATED)$/);
      expect((await ended).error).toMatchObject({ code });
      expect(log).not.toContain('end');
    }
  });

  test('a slow close delays the close_notify no more than other bytes, but the FIN', async () => {
    const { client, server } = await secure({ slowClose: 3_600_000 });
    const received = record(server);
    const closed = vi.fn();
    const report = client.close().then(closed);
    await expect.poll(() => received.log).toContain('end');
    await turns();
    expect(closed).not.toHaveBeenCalled();
    client.error();
    await report;
  });
});
