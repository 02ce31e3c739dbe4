// A rejected upgrade: no plain bytes end up in the TLS stream, and the socket stays as it was.
import { once } from 'node:events';
import { data, lines, listen, on, reader, type Socket, type SocketOptions } from '@rxsock/core';
import { controlOf } from '@rxsock/core/internal';
import { type UpgradeOptions, upgrade } from '@rxsock/tls';
import { firstValueFrom, take } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { ca, localhost } from '../support/identities.js';
import { nextOf, plainPair, started } from '../support/peers.js';

const LEFT = { name: 'SocketError', code: 'ERR_PLAINTEXT_LEFT', phase: 'open' };
const sides: ['dialled' | 'accepted', UpgradeOptions][] = [
  ['dialled', { ca, servername: 'localhost' }],
  ['accepted', { ...localhost, isServer: true }],
];

/** What an upgrade throws. */
function refusal(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('The upgrade did not throw');
}

describe.each(sides)('rejects an upgrade (%s)', (ours, options) => {
  const pair = (limits?: SocketOptions) => plainPair(ours, limits);

  test("with a line left over in the reader's chunk", async () => {
    const { plain, raw } = await pair();
    const smtp = reader(plain);
    raw.write('STARTTLS\r\nRCPT TO:<eve>\r\n');
    expect(await smtp.readLine()).toBe('STARTTLS');
    expect(refusal(() => upgrade(smtp, options))).toMatchObject(LEFT);
    // The reader has released the socket, and nothing is lost.
    expect(plain.readyState).toBe('open');
    expect(await firstValueFrom(plain.pipe(data(), lines()))).toBe('RCPT TO:<eve>');
  });

  test("with part of a line in the reader's decoder", async () => {
    const { plain, raw } = await pair();
    const smtp = reader(plain);
    raw.write('STARTTLS\r\nRCPT');
    expect(await smtp.readLine()).toBe('STARTTLS');
    expect(refusal(() => upgrade(smtp, options))).toMatchObject(LEFT);
  });

  test('with one unread byte', async () => {
    const { plain, raw } = await pair();
    const smtp = reader(plain);
    raw.write('STARTTLS\r\n\n');
    await smtp.readLine();
    expect(refusal(() => upgrade(smtp, options))).toMatchObject(LEFT);
  });

  test('with a chunk that came while the reader held', async () => {
    const { plain, raw } = await pair();
    const smtp = reader(plain);
    raw.write('STARTTLS\r\n');
    await smtp.readLine();
    raw.write('RCPT TO:<eve>\r\n');
    await expect.poll(() => plain.bytesRead).toBe(25);
    expect(refusal(() => upgrade(smtp, options))).toMatchObject(LEFT);
  });

  test('with bytes that a framing operator has given back', async () => {
    const { plain, raw } = await pair();
    const first = firstValueFrom(plain.pipe(data(), lines(), take(1)));
    raw.write('STARTTLS\r\nRCPT TO:<eve>\r\n');
    expect(await first).toBe('STARTTLS');
    expect(refusal(() => upgrade(plain, options))).toMatchObject(LEFT);
  });

  test('with bytes that a user has given back', async () => {
    const { plain, raw } = await pair();
    const first = firstValueFrom(plain.pipe(data()));
    raw.write('STARTTLS\r\n');
    plain.unshift((await first).subarray(3));
    expect(refusal(() => upgrade(plain, options))).toMatchObject(LEFT);
  });

  test('with a FIN that was not delivered yet', async () => {
    const { plain, raw } = await pair();
    const release = plain.hold();
    raw.end();
    await expect.poll(() => refusalCode(plain, options)).toBe('ERR_SOCKET_NOT_OPEN');
    release();
  });

  test('while someone reads', async () => {
    const { plain } = await pair();
    const { subscription, log } = record(plain.pipe(data()));
    expect(refusal(() => upgrade(plain, options))).toMatchObject({
      name: 'SocketError',
      code: 'ERR_READER_EXISTS',
      phase: 'open',
      message: expect.stringContaining('cannot be upgraded: it still has a reader: let the reader leave'),
    });
    expect(log).toEqual([]);
    subscription.unsubscribe();
    expect(plain.readyState).toBe('open');
  });

  test('of a reader in place of a socket', async () => {
    const { plain } = await pair();
    const smtp = reader(plain);
    expect(refusal(() => upgrade(plain, options))).toMatchObject({ code: 'ERR_READER_EXISTS' });
    smtp.release();
  });

  test('while bytes wait to be written', async () => {
    const { plain, raw } = await pair();
    const written = plain.write(Buffer.alloc(20_000_000));
    expect(refusal(() => upgrade(plain, options))).toMatchObject({
      code: 'ERR_WRITES_PENDING',
      message: expect.stringContaining('bytes wait to be written: await write() first'),
    });
    raw.resume();
    await written;
    expect(plain.readyState).toBe('open');
  });

  test('after complete(), and after the end', async () => {
    const { plain, raw } = await pair();
    plain.complete();
    expect(refusal(() => upgrade(plain, options))).toMatchObject({
      code: 'ERR_SOCKET_NOT_OPEN',
      message: expect.stringContaining('complete() was called'),
    });
    await once(raw.resume(), 'end');
    expect(refusal(() => upgrade(plain, options))).toMatchObject({
      code: 'ERR_SOCKET_NOT_OPEN',
      message: expect.stringContaining('it is readOnly, not open'),
    });
    raw.end();
    await record(plain).ended;
    expect(refusal(() => upgrade(plain, options))).toMatchObject({
      code: 'ERR_SOCKET_NOT_OPEN',
      message: expect.stringContaining('it is closed, not open'),
    });
  });

  test('after an earlier upgrade', async () => {
    const { plain } = await pair();
    upgrade(plain, options);
    expect(refusal(() => upgrade(plain, options))).toMatchObject({ code: 'ERR_SOCKET_NOT_OPEN' });
  });

  test('and the socket then continues as if nothing had happened', async () => {
    const { plain, raw } = await pair();
    const first = firstValueFrom(plain.pipe(data()));
    raw.write('hello');
    await first;
    plain.unshift(Buffer.from('!'));
    refusal(() => upgrade(plain, options));
    await plain.write('plain');
    expect(String((await once(raw, 'data'))[0])).toBe('plain');
    const { log, ended } = record(plain.pipe(data()));
    raw.end('the end');
    await ended;
    expect(log.join('')).toBe('!the endcomplete');
  });

  test('leaves nothing of the plain socket on the stream that TLS takes over', async () => {
    const { plain } = await pair();
    const stream = controlOf(plain).handOver().stream;
    onTestFinished(() => void stream.destroy());
    const counts = stream.eventNames().map((event) => [event, stream.listenerCount(event)]);
    // Node's own, and that of the server, which counts its connections.
    expect(Object.fromEntries(counts)).toEqual({ end: 1, ...(ours === 'accepted' && { close: 1 }) });
    for (const name of ['push', '_write', '_writev', '_final']) expect(Object.hasOwn(stream, name)).toBe(false);
  });

  test('with bytes in the Node stream, which only the documented way of reading can leave there', async () => {
    const { plain, raw } = await pair();
    raw.on('data', () => {});
    const detached = controlOf(plain).handOver().stream as import('node:net').Socket;
    const { fromDuplex } = await import('@rxsock/core');
    raw.write('STARTTLS\r\nRCPT TO:<eve>\r\n');
    await once(detached, 'readable');
    expect(detached.readableLength).toBeGreaterThan(0);
    const again = fromDuplex(detached, { keepOpen: true });
    await firstValueFrom(again.pipe(on('connect')));
    expect(refusal(() => upgrade(again, options))).toMatchObject(LEFT);
    again.error();
  });
});

const refusalCode = (plain: Socket, options: UpgradeOptions) =>
  (refusal(() => upgrade(plain, options)) as { code: string }).code;

test('an upgrade without a name to verify by is a TypeError, and the socket stays as it was', async () => {
  const { plain, raw } = await plainPair('dialled');
  const smtp = reader(plain);
  for (const it of [smtp, plain]) {
    expect(() => upgrade(it, { ca })).toThrow(TypeError);
    expect(() => upgrade(it, { ca })).toThrow(
      'There is no name to verify the certificate against: give servername or verifyHost',
    );
  }
  raw.write('220 ready\r\n');
  expect(await smtp.readLine()).toBe('220 ready');
  await plain.write('QUIT');
  expect(plain.readyState).toBe('open');
});

test('invalid options throw, and the socket stays as it was', async () => {
  const { plain } = await plainPair('accepted');
  expect(() => upgrade(plain, { isServer: true } as never)).toThrow('A TLS server needs key and cert, or pfx');
  expect(() => upgrade(plain, { ...localhost, isServer: true, handshakeTimeout: -1 })).toThrow(RangeError);
  expect(() => upgrade(plain, { servername: 'localhost', handshakeTimeout: -1 })).toThrow(RangeError);
  expect(() => upgrade(plain, { servername: 'localhost', highWaterMark: -1 })).toThrow(RangeError);
  expect(plain.readyState).toBe('open');
});

test.each([null, undefined, {}, 'smtp'])('%j in place of a socket is a TypeError', (wrong) => {
  const call = () => upgrade(wrong as never, { servername: 'localhost' });
  expect(call).toThrow(TypeError);
  expect(call).toThrow(/^Expected a Socket, made by .*, not /);
});

test('a socket that has not been dialled is not open', async () => {
  const { connect } = await import('@rxsock/core');
  expect(refusal(() => upgrade(connect({ port: 1 }), { servername: 'x' }))).toMatchObject({
    code: 'ERR_SOCKET_NOT_OPEN',
  });
});

test('bytes behind the last plain line are never taken for encrypted ones', async () => {
  const { server, port } = await started(listen({ keepOpen: true }));
  const accepted = nextOf(server);
  const { connect } = await import('node:net');
  const raw = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  raw.write('STARTTLS\r\n');
  const smtp = reader(await accepted);
  await smtp.readLine();
  const secure = upgrade(smtp, { ...localhost, isServer: true });
  const { log, ended } = record(secure);
  raw.write('RCPT TO:<eve>\r\n');
  await ended;
  expect(log).toEqual(['connect', 'close', 'error:ERR_TLS_HANDSHAKE']);
  raw.destroy();
});
