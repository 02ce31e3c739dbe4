// Somebody on the wire who changes what passes: an error on both sides, and nothing of it is delivered.
import { data, on } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { everyCase, pair } from '../support/peers.js';
import { CLOSE_NOTIFY } from '../support/wire.js';

/** A record of data with nobody's key. */
const forged = Buffer.concat([Buffer.from('1703030028', 'hex'), Buffer.alloc(0x28, 7)]);

it.each(everyCase)('a forged record is an error after what came before it: %s, %s', async (birth, version) => {
  const { socket, peer, toUs } = await pair(birth, version);
  const { log, ended } = record(socket.pipe(data()));
  peer.write('genuine');
  await expect.poll(() => log).toEqual(['genuine']);
  toUs.inject(forged);
  expect((await ended).error).toMatchObject({
    name: 'SocketError',
    code: 'ERR_TLS_PROTOCOL',
    phase: 'read',
    message: expect.stringContaining(' broke the TLS protocol: '),
  });
  expect(log).toEqual(['genuine', 'error:ERR_TLS_PROTOCOL']);
});

it.each(everyCase)('bytes that are no TLS, too: %s, %s', async (birth, version) => {
  const { socket, toUs } = await pair(birth, version);
  const { log, ended } = record(socket.pipe(data()));
  toUs.inject(Buffer.from('QUIT\r\nQUIT\r\n'));
  await ended;
  expect(log).toEqual(['error:ERR_TLS_PROTOCOL']);
});

it.each(everyCase)('the peer tells of what was forged for it: %s, %s', async (birth, version) => {
  const { socket, toPeer } = await pair(birth, version);
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
