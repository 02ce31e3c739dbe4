// What there may be many of.
import { connect, data, lines, listen, serve } from '@rxsock/core';
import { lastValueFrom, map, type Observable, range, reduce } from 'rxjs';
import { expectAll } from '../scenario.js';
import type { Subject } from './subject.js';

const host = '127.0.0.1';
const LINE = 64;
const SMALL = 16;
const BYTE = Buffer.from('a');

const countOf = (values: Observable<unknown>) => lastValueFrom(values.pipe(reduce((count) => count + 1, 0)));

const lengthOf = (bytes: Observable<Uint8Array>) =>
  lastValueFrom(bytes.pipe(reduce((total, chunk) => total + chunk.length, 0)));

export const subjects: readonly Subject[] = [
  {
    name: 'growth-bytes',
    about: 'bytes received',
    smallest: 1024 * 1024,
    peer: (size) => ({ role: 'blast', amount: size }),
    run: async ({ amount, peer }) => {
      expectAll(await lengthOf(connect({ host, port: peer.port }).pipe(data())), amount, 'bytes');
    },
  },
  {
    name: 'growth-lines',
    about: `lines of ${LINE} bytes received`,
    smallest: 5_000,
    peer: (size) => ({ role: 'blast', amount: size * LINE, format: { type: 'lines', size: LINE } }),
    run: async ({ amount, peer }) => {
      expectAll(await countOf(connect({ host, port: peer.port }).pipe(data(), lines())), amount, 'lines');
    },
  },
  {
    name: 'growth-chunks',
    about: 'chunks of one byte that are one line',
    smallest: 3_000,
    run: async ({ amount }) => {
      const bytes = range(0, amount).pipe(map(() => BYTE));
      const line = await lastValueFrom(bytes.pipe(lines({ maxLength: Number.POSITIVE_INFINITY })));
      expectAll(line.length, amount, 'bytes');
    },
  },
  {
    name: 'growth-connections',
    about: 'connections that are open at once',
    smallest: 10,
    peer: (size) => ({ role: 'idle', amount: size }),
    run: async ({ amount, peer }) => {
      const server = listen();
      const served = server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
        if (event.type === 'listening') peer.dial(event.address.port);
      });
      expectAll(await peer.count(), amount, 'connections');
      served.unsubscribe();
    },
  },
  {
    name: 'growth-subscribers',
    about: 'subscribers to one socket',
    smallest: 300,
    peer: () => ({ role: 'blast', amount: LINE }),
    run: async ({ amount, peer }) => {
      const socket = connect({ host, port: peer.port });
      const lengths = await Promise.all(Array.from({ length: amount }, () => lengthOf(socket.pipe(data()))));
      expectAll(lengths.filter((length) => length === LINE).length, amount, 'subscribers');
    },
  },
  {
    name: 'growth-pending-writes',
    about: `writes of ${SMALL} bytes that wait at once`,
    smallest: 1_000,
    peer: (size) => ({ role: 'sink', amount: size * SMALL }),
    run: async ({ amount, peer }) => {
      // The promise of each write counts too.
      const socket = connect({ host, port: peer.port, maxWriteBuffer: Number.POSITIVE_INFINITY });
      const chunk = Buffer.alloc(SMALL, 'a');
      await Promise.all(Array.from({ length: amount }, () => socket.write(chunk)));
      socket.complete();
      expectAll(await peer.count(), amount * SMALL, 'bytes');
    },
  },
];
