// messages(), and codecs on datagrams.
import { decodeEach, jsonLinesCodec, lengthPrefixedCodec, linesCodec, on } from '@rxsock/core';
import { messages } from '@rxsock/udp';
import { catchError, EMPTY, map, mergeMap, of } from 'rxjs';
import { expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { bound, rawPeer } from '../support/peers.js';

test('messages() emits the bytes of each datagram, empty ones too, and completes with the socket', async () => {
  const peer = await rawPeer();
  const server = await bound();
  const { log, values } = record(server.socket.pipe(messages()));
  for (const data of ['a', '', 'b']) await peer.send(data, server.local.port);
  await expect.poll(() => log).toEqual(['a', '', 'b']);
  expect(values.every((value) => Buffer.isBuffer(value))).toBe(true);
  await server.socket.close();
  expect(log.at(-1)).toBe('complete');
});

test('decodeEach() decodes each datagram on its own', async () => {
  const peer = await rawPeer();
  const server = await bound();
  const lines = record(server.socket.pipe(messages(), decodeEach(linesCodec())));
  for (const data of ['one\ntwo\nthr', '', 'ee\n']) await peer.send(data, server.local.port);
  await expect.poll(() => lines.log).toEqual(['one', 'two', 'thr', 'ee']);
});

test('a cut frame is an error, which ends nothing if it is caught for each datagram', async () => {
  const peer = await rawPeer();
  const server = await bound();
  const codec = lengthPrefixedCodec({ lengthField: 2 });
  const strict = record(server.socket.pipe(messages(), decodeEach(codec)));
  const lax = record(
    server.socket.pipe(
      on('message'),
      mergeMap(({ data, remote }) =>
        of(data).pipe(
          decodeEach(codec),
          map((frame) => `${frame} from ${remote.port}`),
          catchError(() => EMPTY),
        ),
      ),
    ),
  );
  await peer.send(codec.encode('first'), server.local.port);
  await peer.send(Buffer.from([0, 9, 1]), server.local.port);
  await peer.send(codec.encode('last'), server.local.port);
  expect((await strict.ended).error).toMatchObject({ code: 'ERR_FRAME_TRUNCATED' });
  await expect.poll(() => lax.log).toEqual([`first from ${peer.port}`, `last from ${peer.port}`]);
});

test('the output of a codec can be sent', async () => {
  const server = await bound();
  const codec = jsonLinesCodec<{ n: number }>();
  const received = record(server.socket.pipe(messages(), decodeEach(codec)));
  await server.socket.send({ data: codec.encode({ n: 1 }), remote: server.local });
  await expect.poll(() => received.values).toEqual([{ n: 1 }]);
});
