// Lines of text that are received and counted.
import net from 'node:net';
import { createInterface } from 'node:readline';
import { connect, data, lines } from '@rxsock/core';
import { lastValueFrom, reduce } from 'rxjs';
import split2 from 'split2';
import { BYTES, type Contender, expectAll, MIB, type Scenario } from '../scenario.js';

const LF = 10;

export const shortLines = linesOf('lines-64', 64, 512 * MIB, { label: 'M lines/s', amount: 64e6 }, [2, 1]);
export const longLines = linesOf('lines-1k', 1024, 1024 * MIB, BYTES.rate, [3.3, 1.4]);

function linesOf(
  name: string,
  size: number,
  amount: number,
  rate: Scenario['rate'],
  [thanSplit2, thanByHand]: readonly [number, number],
): Scenario {
  const expectLines = (count: number, bytes: number) => expectAll(count, Math.ceil(bytes / size), 'lines');
  /** @param split Calls `count` for each line, and `end` at the end. */
  const raw =
    (split: (socket: net.Socket, count: (line: string) => void, end: () => void) => void): Contender =>
    ({ peer, amount: bytes }) =>
      new Promise<void>((resolve, reject) => {
        let count = 0;
        const socket = net.connect(peer.port, '127.0.0.1');
        socket.on('error', reject);
        const end = () => {
          try {
            expectLines(count, bytes);
            resolve();
          } catch (error) {
            reject(error);
          }
        };
        split(socket, () => count++, end);
      });
  return {
    name,
    about: `splits lines of ${size} bytes and counts them`,
    amount,
    rate,
    cost: BYTES.cost,
    peer: (bytes) => ({ role: 'blast', amount: bytes, format: { type: 'lines', size } }),
    goals: [
      { contender: 'data(), lines()', atLeast: thanSplit2 },
      { contender: 'data(), lines()', atLeast: thanByHand, to: 'by hand, indexOf' },
      { contender: 'data(), lines()', atLeast: thanByHand, to: 'by hand, split' },
    ],
    contenders: {
      split2: raw((socket, count, end) => socket.pipe(split2()).on('data', count).on('end', end)),

      readline: raw((socket, count, end) => createInterface({ input: socket }).on('line', count).on('close', end)),

      'by hand, indexOf': raw((socket, count, end) => {
        let rest: Buffer = Buffer.alloc(0);
        socket.on('data', (chunk) => {
          const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
          let start = 0;
          for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, start)) {
            count(bytes.toString('utf8', start, at));
            start = at + 1;
          }
          rest = bytes.subarray(start);
        });
        socket.on('end', () => {
          if (rest.length > 0) count(rest.toString());
          end();
        });
      }),

      'by hand, split': raw((socket, count, end) => {
        let rest = '';
        socket.setEncoding('utf8');
        socket.on('data', (text: string) => {
          const parts = (rest + text).split('\n');
          rest = parts.pop() as string;
          for (const line of parts) count(line);
        });
        socket.on('end', () => {
          if (rest !== '') count(rest);
          end();
        });
      }),

      Effect: async ({ peer, amount: bytes }) => {
        const { countLines } = await import('../effect.js');
        expectLines(await countLines(peer), bytes);
      },

      'data(), lines()': async ({ peer, amount: bytes }) => {
        const lineCount = connect({ host: '127.0.0.1', port: peer.port }).pipe(
          data(),
          lines(),
          reduce((count) => count + 1, 0),
        );
        expectLines(await lastValueFrom(lineCount), bytes);
      },
    },
  };
}
