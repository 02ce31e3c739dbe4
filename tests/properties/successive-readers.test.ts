// Successive readers of every kind on one socket together see each byte of the stream exactly once, however the bytes
// are cut and whenever they arrive.
import {
  connect,
  connections,
  data,
  lengthPrefixed,
  lines,
  listen,
  on,
  reader,
  relay,
  type Socket,
  toAsyncIterable,
} from '@rxsock/core';
import { chunkings } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { checkProperty } from '../support/property.js';

/**
 * The bytes that one reader is to take, and how it takes them. Returns the bytes it saw. Both as they are on the wire.
 */
interface Segment {
  readonly name: string;
  readonly bytes: Buffer;
  read(socket: Socket): Promise<Buffer>;
}

const line = fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, '.'));
const payload = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const ended = (text: string) => `${text}\n`;
const prefixed = (bytes: Uint8Array) => Buffer.concat([Buffer.from([bytes.length]), bytes]);

const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.array(line, { minLength: 1, maxLength: 5 }).map((texts) => ({
    name: `lines().pipe(take(${texts.length}))`,
    bytes: Buffer.from(texts.map(ended).join('')),
    read: async (socket: Socket) => {
      const taken = socket.pipe(data(), lines(), take(texts.length), map(ended), toArray());
      return Buffer.from((await lastValueFrom(taken)).join(''));
    },
  })),
  fc.array(payload, { minLength: 1, maxLength: 5 }).map((payloads) => ({
    name: `lengthPrefixed().pipe(take(${payloads.length}))`,
    bytes: Buffer.concat(payloads.map(prefixed)),
    read: async (socket: Socket) => {
      const options = { lengthField: 1, byteOrder: 'big' } as const;
      const taken = socket.pipe(data(), lengthPrefixed(options), take(payloads.length), map(prefixed), toArray());
      return Buffer.concat(await lastValueFrom(taken));
    },
  })),
  fc.array(line, { minLength: 1, maxLength: 5 }).map((texts) => ({
    name: `a for-await loop over ${texts.length} lines`,
    bytes: Buffer.from(texts.map(ended).join('')),
    read: async (socket: Socket) => {
      const seen: string[] = [];
      for await (const text of toAsyncIterable(socket.pipe(data(), lines()), { highWaterMark: 0 })) {
        if (seen.push(ended(text)) === texts.length) break;
      }
      return Buffer.from(seen.join(''));
    },
  })),
  fc.tuple(fc.array(line, { maxLength: 3 }), payload, fc.boolean()).map(([texts, bytes, until]) => ({
    name: `reader(): ${texts.length} lines and ${bytes.length} bytes${until ? ' up to a NUL' : ''}`,
    bytes: Buffer.concat([
      Buffer.from(texts.map(ended).join('')),
      until ? Buffer.from(`${bytes.toString('hex')}\0`) : bytes,
    ]),
    read: async (socket: Socket) => {
      using reading = reader(socket);
      const seen: Buffer[] = [];
      for (const _ of texts) seen.push(Buffer.from(ended((await reading.readLine()) ?? 'nothing')));
      if (until) seen.push(await reading.readUntil('\0'), Buffer.from('\0'));
      else seen.push(await reading.read(bytes.length));
      return Buffer.concat(seen);
    },
  })),
  payload
    .filter(({ length }) => length > 0)
    .map((bytes) => ({
      name: `for await over the chunks of ${bytes.length} bytes, the surplus given back`,
      bytes,
      read: async (socket: Socket) => {
        let seen = Buffer.alloc(0);
        for await (const chunk of socket) {
          seen = Buffer.concat([seen, chunk]);
          if (seen.length >= bytes.length) break;
        }
        socket.unshift(seen.subarray(bytes.length));
        return seen.subarray(0, bytes.length);
      },
    })),
  payload
    .filter(({ length }) => length > 0)
    .map((bytes) => ({
      name: `data().pipe(take(1)) until ${bytes.length} bytes, the surplus given back`,
      bytes,
      read: async (socket: Socket) => {
        let seen = Buffer.alloc(0);
        while (seen.length < bytes.length) {
          seen = Buffer.concat([seen, await firstValueFrom(socket.pipe(data()))]);
          if (seen.length > bytes.length) socket.unshift(seen.subarray(bytes.length));
        }
        return seen.subarray(0, bytes.length);
      },
    })),
);

const turn = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The last reader takes everything that is left. */
const lastReaders = {
  'data()': async (socket: Socket) => Buffer.concat(await lastValueFrom(socket.pipe(data(), toArray()))),
  'reader().readAll()': async (socket: Socket) => {
    using reading = reader(socket);
    return await reading.readAll();
  },
  'relay()': async (socket: Socket) => {
    const server = listen({ keepOpen: true });
    const accepted = firstValueFrom(server.pipe(connections()));
    const serving = server.subscribe();
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    const passing = lastValueFrom(relay(socket, connect({ host: address.address, port: address.port })), {
      defaultValue: undefined,
    });
    const far = await accepted;
    const bytes = Buffer.concat(await lastValueFrom(far.pipe(data(), toArray())));
    far.complete();
    await passing;
    await server.close({ drain: 1000 });
    serving.unsubscribe();
    return bytes;
  },
};

test('every byte is delivered exactly once', async () => {
  const script = fc.tuple(fc.array(segment, { maxLength: 6 }), payload).chain(([segments, rest]) =>
    fc.record({
      segments: fc.constant(segments),
      rest: fc.constant(rest),
      chunks: chunkings(Buffer.concat([...segments.map(({ bytes }) => bytes), rest])),
    }),
  );
  await checkProperty(
    fc.asyncProperty(
      script,
      fc.constantFrom(...(Object.keys(lastReaders) as (keyof typeof lastReaders)[])),
      fc.infiniteStream(fc.constantFrom(-1, -1, -1, 0, 1)),
      fc.constantFrom(1, 10, 65_536),
      fc.boolean(),
      async ({ segments, rest, chunks }, lastReader, pauses, highWaterMark, allThere) => {
        const server = listen({ keepOpen: true, noDelay: true });
        const accepted = firstValueFrom(server.pipe(connections()));
        const serving = server.subscribe();
        const { address } = await firstValueFrom(server.pipe(on('listening')));
        const socket = connect({
          host: address.address,
          port: address.port,
          keepOpen: true,
          highWaterMark,
          allowHalfOpen: true,
        });
        await firstValueFrom(socket.pipe(on('connect')));
        const peer = await accepted;
        const sending = (async () => {
          for (const chunk of chunks) {
            peer.next(chunk);
            const pause = pauses.next().value ?? 0;
            if (pause >= 0) await turn(pause);
          }
          peer.complete();
        })();
        if (allThere) await sending;
        for (const { bytes, read } of segments) {
          expect((await read(socket)).toString('latin1')).toBe(bytes.toString('latin1'));
          const pause = pauses.next().value ?? 0;
          if (pause >= 0) await turn(pause);
        }
        expect((await lastReaders[lastReader](socket)).toString('latin1')).toBe(rest.toString('latin1'));
        await sending;
        socket.complete();
        await Promise.all([socket.close(), server.close({ drain: 1000 })]);
        serving.unsubscribe();
        expect(socket.bytesRead).toBe(Buffer.concat(chunks).length);
      },
    ),
  );
}, 120_000);
