// Lines of text that are received and counted.
import net from 'node:net';
import { createInterface } from 'node:readline';
import { connect, data, lines } from '@rxsock/core';
import { lastValueFrom, reduce } from 'rxjs';
import split2 from 'split2';
import { BYTES, expectAll, type Scenario } from '../scenario.js';

const MIB = 1024 * 1024;

export const shortLines = linesOf('lines-64', 64, 512 * MIB, { label: 'M lines/s', amount: 64e6 });
export const longLines = linesOf('lines-1k', 1024, 1024 * MIB, BYTES.rate);

function linesOf(name: string, size: number, amount: number, rate: Scenario['rate']): Scenario {
  const expectLines = (count: number, bytes: number) => expectAll(count, Math.ceil(bytes / size), 'lines');
  return {
    name,
    about: `splits lines of ${size} bytes and counts them`,
    amount,
    rate,
    cost: BYTES.cost,
    peer: (amount) => ({ role: 'blast', amount, size }),
    aims: { 'data(), lines()': 2 },
    contenders: {
      split2: ({ peer, amount }) =>
        new Promise((resolve, reject) => {
          let count = 0;
          const socket = net.connect(peer.port, '127.0.0.1');
          socket.on('error', reject);
          const lines = socket.pipe(split2());
          lines.on('data', () => {
            count++;
          });
          lines.on('end', () => {
            expectLines(count, amount);
            resolve();
          });
        }),

      readline: ({ peer, amount }) =>
        new Promise((resolve, reject) => {
          let count = 0;
          const socket = net.connect(peer.port, '127.0.0.1');
          socket.on('error', reject);
          const lines = createInterface({ input: socket });
          lines.on('line', () => {
            count++;
          });
          lines.on('close', () => {
            expectLines(count, amount);
            resolve();
          });
        }),

      'data(), lines()': async ({ peer, amount }) => {
        const lineCount = connect({ host: '127.0.0.1', port: peer.port }).pipe(
          data(),
          lines(),
          reduce((count) => count + 1, 0),
        );
        expectLines(await lastValueFrom(lineCount), amount);
      },
    },
  };
}
