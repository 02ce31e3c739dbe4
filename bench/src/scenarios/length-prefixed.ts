// Messages behind their length, in four bytes, that are received and counted.
import net from 'node:net';
import { connect, data, lengthPrefixed } from '@rxsock/core';
import type { LengthDecoderFunction } from 'it-length-prefixed';
import { lastValueFrom, reduce } from 'rxjs';
import { expectAll, type Scenario } from '../scenario.js';

const PREFIX = 4;

export const shortMessages = prefixed('length-prefixed-64', 64, 2_000_000, 2);
export const longMessages = prefixed('length-prefixed-16k', 16 * 1024, 60_000, 1.5);

function prefixed(name: string, size: number, amount: number, atLeast: number): Scenario {
  return {
    name,
    about: `receives messages of ${size} bytes behind their length, and counts them`,
    amount,
    rate: { label: '1,000 messages/s', amount: 1000 },
    cost: { label: 'CPU-s/million', amount: 1e6 },
    peer: (messages) => ({
      role: 'blast',
      amount: messages * (PREFIX + size),
      format: { type: 'length-prefixed', size },
    }),
    goals: [{ contender: 'data(), lengthPrefixed()', atLeast }],
    contenders: {
      'Buffer.concat in a loop': async ({ peer, amount: messages }) => {
        let count = 0;
        let buffer: Buffer = Buffer.alloc(0);
        for await (const chunk of net.connect(peer.port, '127.0.0.1')) {
          buffer = Buffer.concat([buffer, chunk]);
          while (buffer.length >= PREFIX) {
            const end = PREFIX + buffer.readUInt32BE();
            if (buffer.length < end) break;
            if (buffer.subarray(PREFIX, end).length === size) count++;
            buffer = buffer.subarray(end);
          }
        }
        expectAll(count, messages, 'messages');
      },

      'it-length-prefixed': async ({ peer, amount: messages }) => {
        const { decode } = await import('it-length-prefixed');
        let count = 0;
        const source: AsyncIterable<Buffer<ArrayBuffer>> = net.connect(peer.port, '127.0.0.1');
        for await (const message of decode(source, { lengthDecoder, maxLengthLength: PREFIX })) {
          if (message.length === size) count++;
        }
        expectAll(count, messages, 'messages');
      },

      'data(), lengthPrefixed()': async ({ peer, amount: messages }) => {
        const count = connect({ host: '127.0.0.1', port: peer.port }).pipe(
          data(),
          lengthPrefixed({ lengthField: PREFIX }),
          reduce((total, message) => (message.length === size ? total + 1 : total), 0),
        );
        expectAll(await lastValueFrom(count), messages, 'messages');
      },
    },
  };
}

const lengthDecoder: LengthDecoderFunction = (bytes) => bytes.getUint32(0);
lengthDecoder.bytes = PREFIX;
