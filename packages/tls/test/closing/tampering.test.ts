// Someone on the wire changes the bytes: both sides get an error, and nothing forged is delivered.
import { data, on } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { everyCase, pair } from '../support/peers.js';
import { CLOSE_NOTIFY } from '../support/wire.js';

/** A data record that is encrypted with no valid key. */
const forged = Buffer.concat([Buffer.from('1703030028', 'hex'), Buffer.alloc(0x28, 7)]);

test.each(everyCase)('a forged record is an error after the data before it: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version);
  const { log, ended } = record(socket.pipe(data()));
  peer.write('genuine');
  await expect.poll(() => log).toEqual(['genuine']);
  toUs.inject(forged);
  expect((await ended).error).toMatchObject({
    name: 'SocketError',
    code: 'ERR_TLS_PROTOCOL',
    phase: 'read',
    message: expect.stringMatching(/^The peer at \S+:\d+ broke the TLS protocol: /),
  });
  expect(log).toEqual(['genuine', 'error:ERR_TLS_PROTOCOL']);
});

test.each(everyCase)('bytes that are not TLS are an error, too: %s, %s', async (origin, version) => {
  const { socket, toUs } = await pair(origin, version);
  const { log, ended } = record(socket.pipe(data()));
  toUs.inject(Buffer.from('QUIT\r\nQUIT\r\n'));
  await ended;
  expect(log).toEqual(['error:ERR_TLS_PROTOCOL']);
});

test.each(everyCase)('the peer reports what was forged for it: %s, %s', async (origin, version) => {
  const { socket, toPeer } = await pair(origin, version);
  const { ended } = record(socket.pipe(data()));
  const closed = firstValueFrom(socket.pipe(on('close')));
  toPeer.inject(forged);
  expect((await ended).error).toMatchObject({
    name: 'AlertError',
    code: 'ERR_TLS_ALERT',
    alert: 'bad_record_mac',
    phase: 'read',
  });
  expect((await closed).report).toMatchObject({ by: 'peer', how: 'error' });
  await toPeer.ended;
  expect(toPeer.log).not.toContain(CLOSE_NOTIFY[version]);
});
