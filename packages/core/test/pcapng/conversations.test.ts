// Connections that are written as packets, and found again in them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { type Conversation, Conversations } from '../../src/pcapng/conversations.js';
import type { Sender } from '../../src/pcapng/flags.js';
import { parseTcp } from '../../src/pcapng/parse-packet.js';
import { conversationsOf, memoryCapture, packetsOf } from './support.js';

const show = ({ steps }: Conversation) =>
  steps.map(({ from, sent }) => ({
    from,
    sent: typeof sent === 'string' ? sent : Buffer.concat(sent).toString('hex'),
  }));

/** How many bytes the server of each connection has sent when its numbers begin again soon: the SYN has one too. */
const WRAPPING = [1, 2, 3].map((index) => 2 ** 32 - index * 1_000_003 - 5);

const sender = fc.constantFrom<Sender>('client', 'server');
const chunk = fc.record({
  connection: fc.nat(2),
  from: sender,
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 20 }),
    fc.uint8Array({ minLength: 1, size: 'xlarge' }),
    fc.constantFrom(32_767, 32_768, 32_769, 65_536, 100_003).map((length) => new Uint8Array(length).fill(length)),
  ),
});

describe('the connections of a capture', () => {
  test('are what was recorded, chunk by chunk, in any mix and at any place of the streams', async () => {
    await checkProperty(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 12 }),
        fc.constantFrom('192.0.2.1', '2001:db8::1'),
        fc.option(fc.record({ client: fc.nat({ max: 2 ** 40 }), server: fc.constantFrom(...WRAPPING, 2 ** 33) }), {
          nil: undefined,
        }),
        fc.constantFrom(0, 1000),
        async (chunks, address, sent, step) => {
          const capture = memoryCapture({ step });
          const family = address.includes(':') ? 'IPv6' : 'IPv4';
          const recorders = [0, 1, 2].map((index) => capture.connection(index, { address, family, sent }));
          for (const { connection, from, bytes } of chunks) recorders[connection]!.data(from, bytes);
          for (const recorder of recorders) recorder.end('server');
          const [file] = await capture.close();

          expect(
            conversationsOf(file!)
              .sort((a, b) => a.client.port - b.client.port)
              .map(show),
          ).toEqual(
            recorders.map((_, index) => [
              ...chunks
                .filter(({ connection }) => connection === index)
                .map(({ from, bytes }) => ({ from, sent: Buffer.from(bytes).toString('hex') })),
              { from: 'server', sent: 'fin' },
            ]),
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  test('do not depend on the order of packets, nor on packets that come twice', async () => {
    const capture = memoryCapture();
    const connection = capture.connection();
    for (let index = 0; index < 8; index++) connection.data('client', Buffer.from(`${index}`.repeat(index + 1)));
    connection.end('client');
    const [file] = await capture.close();
    const segments = packetsOf(file!).map((packet) => ({ segment: parseTcp(packet)!, time: packet.time }));
    const opening = segments.slice(0, 3);
    await checkProperty(
      fc.property(
        fc.shuffledSubarray([...segments, ...segments].slice(3), { minLength: 2 * segments.length - 3 }),
        (rest) => {
          const conversations = new Conversations();
          for (const { segment, time } of [...opening, ...rest]) conversations.add(segment, time);
          const list = conversations.list();
          const steps = list.flatMap(show);
          expect(list).toHaveLength(1);
          expect(
            steps
              .filter(({ sent }) => sent !== 'fin')
              .map(({ sent }) => sent)
              .join(''),
          ).toBe(
            Buffer.from('0'.concat(...[1, 2, 3, 4, 5, 6, 7].map((index) => `${index}`.repeat(index + 1)))).toString(
              'hex',
            ),
          );
          expect(steps.at(-1)).toEqual({ from: 'client', sent: 'fin' });
        },
      ),
    );
  });

  test('tell how many bytes are lacking, and where', async () => {
    const capture = memoryCapture();
    const connection = capture.connection();
    for (const text of ['one', 'two', 'three']) connection.data('client', Buffer.from(text));
    const [file] = await capture.close();
    const conversations = new Conversations();
    for (const packet of packetsOf(file!)) {
      const segment = parseTcp(packet)!;
      if (segment.payload.toString() !== 'two') conversations.add(segment, packet.time);
    }
    expect(conversations.list()[0]?.steps.map(({ total, lacking }) => ({ total, lacking }))).toEqual([
      { total: 3, lacking: 0 },
      { total: 11, lacking: 3 },
    ]);
  });

  test('begin again where ports are used again', async () => {
    const capture = memoryCapture();
    for (const text of ['first', 'second']) {
      const connection = capture.connection();
      connection.data('client', Buffer.from(text));
      connection.end('client');
    }
    const [file] = await capture.close();
    expect(conversationsOf(file!)).toHaveLength(2);
  });
});
