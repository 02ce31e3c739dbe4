// reader(): any reads in any order, over bytes cut anywhere, return what a model returns that has all bytes in one
// piece. The next reader of the socket gets what they leave.
import { Duplex } from 'node:stream';
import {
  type Codec,
  type Decoder,
  data,
  fromDuplex,
  lengthPrefixedCodec,
  netstringsCodec,
  type Reader,
  reader,
} from '@rxsock/core';
import { chunkings, delimiterRichBytes } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { checkProperty } from '../support/property.js';
import * as model from './framing-models.js';

/** The expected result or error of a read, and the bytes that are left then. */
type Outcome = { readonly left: string } & ({ readonly value: unknown } | { readonly error: Record<string, unknown> });

interface Read {
  readonly name: string;
  run(read: Reader): Promise<unknown>;
  /** What the decoder makes of the whole rest of the input. */
  expected(input: string, maxLength: number): Outcome;
}

const bytes = (text: string) => Buffer.from(text, 'latin1');
const text = (line: string) => bytes(line).toString();
const cutOff = (input: string) => ({ error: { name: 'TruncatedFrameError', buffered: input.length }, left: input });

/** The first frame, or what comes in its place. */
function first(input: string, { frames, error }: model.Expected, frameOf: (payload: string) => unknown): Outcome {
  const [frame] = frames;
  if (frame) return { value: frameOf(frame.payload), left: input.slice(frame.end) };
  return error ? { error, left: input } : { value: undefined, left: input };
}

function linesOf(input: string, maxLength: number): model.Expected {
  return model.delimited(input, { delimiter: '\n', stripCR: true, maxLength, trailing: 'emit', oversize: 'error' });
}

/**
 * Uses only the public interface. Decodes text up to a full stop, and within it `!` with a letter, which is a frame of
 * its own that comes at once. So the rest of its decoder is not always the end of what was pushed.
 */
const interrupted: Pick<Codec<string>, 'decoder'> = { decoder: () => new InterruptedDecoder() };

class InterruptedDecoder implements Decoder<string> {
  #left = '';
  #ended = false;

  push(chunk: Uint8Array): void {
    if (this.#ended) throw new Error('pushed after the end');
    this.#left += Buffer.from(chunk).toString('latin1');
  }

  next(): string | undefined {
    const { frame, left } = interruptedFrame(this.#left);
    this.#left = left;
    return frame;
  }

  end(): void {
    if (this.#ended) throw new Error('ended twice');
    this.#ended = true;
  }

  rest(): Uint8Array {
    return bytes(this.#left);
  }
}

function interruptedFrame(input: string): { frame: string | undefined; left: string } {
  const [frame] = /\.|!./s.exec(input) ?? [];
  if (frame === undefined) return { frame, left: input };
  const at = input.indexOf(frame);
  if (frame === '.') return { frame: input.slice(0, at), left: input.slice(at + 1) };
  return { frame, left: input.slice(0, at) + input.slice(at + 2) };
}

const prefixed = lengthPrefixedCodec({ lengthField: 1 });
const netstrings = netstringsCodec({ maxLength: 100 });
const prefixOptions = { lengthField: 1, byteOrder: 'big', offset: 0, adjustment: 0, maxLength: 255 } as const;

const aRead: fc.Arbitrary<Read> = fc.oneof(
  fc.oneof({ weight: 4, arbitrary: fc.nat(9) }, fc.nat(3000)).map((length) => ({
    name: `read(${length})`,
    run: (read: Reader) => read.read(length),
    expected: (input: string) =>
      input.length < length ? cutOff(input) : { value: bytes(input.slice(0, length)), left: input.slice(length) },
  })),
  fc.constantFrom('\n', '--', '--!', '\0').map((delimiter) => ({
    name: `readUntil(${JSON.stringify(delimiter)})`,
    run: (read: Reader) => read.readUntil(delimiter),
    expected: (input: string, maxLength: number) => {
      const options = { delimiter, stripCR: false, maxLength, trailing: 'error', oversize: 'error' } as const;
      return input === '' ? cutOff(input) : first(input, model.delimited(input, options), bytes);
    },
  })),
  fc.constant({
    name: 'readLine()',
    run: (read: Reader) => read.readLine(),
    expected: (input: string, maxLength: number) => first(input, linesOf(input, maxLength), text),
  }),
  fc.integer({ min: 1, max: 4 }).map((count) => ({
    name: `readLines(${count})`,
    run: (read: Reader) => read.readLines(count),
    expected: (input: string, maxLength: number) => {
      const { frames, error } = linesOf(input, maxLength);
      if (error && frames.length < count) return { error, left: input };
      const taken = frames.slice(0, count);
      return { value: taken.map(({ payload }) => text(payload)), left: input.slice(taken.at(-1)?.end ?? 0) };
    },
  })),
  fc.constantFrom(
    {
      name: 'readFrame(lengthPrefixedCodec())',
      run: (read: Reader) => read.readFrame(prefixed),
      expected: (input: string) => first(input, model.lengthPrefixed(input, prefixOptions), bytes),
    },
    {
      name: 'readFrame(netstringsCodec())',
      run: (read: Reader) => read.readFrame(netstrings),
      expected: (input: string) => first(input, model.netstrings(input, 100), bytes),
    },
    {
      name: "readFrame() with somebody's codec",
      run: (read: Reader) => read.readFrame(interrupted),
      expected: (input: string) => {
        const { frame, left } = interruptedFrame(input);
        return { value: frame, left };
      },
    },
  ),
);

const readAll: Read = {
  name: 'readAll()',
  run: (read) => read.readAll(),
  expected: (input, maxLength) =>
    input.length > maxLength
      ? { error: { name: 'FrameTooLongError', limit: maxLength }, left: input }
      : { value: bytes(input), left: '' },
};

/** Some pieces are longer than what a decoder gets at first. */
const input = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: delimiterRichBytes(['\n', '\r\n', '--!', '.', '!a', '\0', '3:abc,', '\x02ab']) },
      { weight: 1, arbitrary: fc.nat(2500).map((length) => Buffer.alloc(length, 'some more, ')) },
    ),
    { maxLength: 6 },
  )
  .map((pieces) => Buffer.concat(pieces));

/** A stream of these chunks, some of them in their own turn, and then the end. */
function streamOf(chunks: readonly Uint8Array[], turns: Iterator<boolean, unknown>): Duplex {
  const left = chunks.filter((chunk) => chunk.length > 0);
  const push = (stream: Duplex) => stream.push(left.shift() ?? null);
  return new Duplex({
    highWaterMark: 1,
    read() {
      if (turns.next().value) setImmediate(push, this);
      else push(this);
    },
  });
}

/** Concurrent reads. Their results are compared in order. */
async function compare(group: readonly Read[], read: Reader, before: string, maxLength: number): Promise<string> {
  const outcomes = await Promise.allSettled(group.map(({ run }) => run(read)));
  let left = before;
  for (const [i, { name, expected }] of group.entries()) {
    const outcome = outcomes[i]!;
    const wanted = expected(left, maxLength);
    const got = outcome.status === 'fulfilled' ? { value: outcome.value } : { error: outcome.reason };
    if ('error' in wanted) expect({ name, ...got }).toMatchObject({ name, error: wanted.error });
    else expect({ name, ...got }).toEqual({ name, value: wanted.value });
    left = wanted.left;
  }
  return left;
}

test('any reads return what they would return for the bytes in one piece', async () => {
  const groups = fc.array(fc.array(aRead, { minLength: 1, maxLength: 4 }), { maxLength: 10 });
  await checkProperty(
    fc.asyncProperty(
      input.chain((all) => fc.record({ all: fc.constant(all), chunks: chunkings(all) })),
      groups,
      fc.constantFrom(1, 3, 40, 1000, 100_000, Number.POSITIVE_INFINITY),
      fc.boolean(),
      fc.infiniteStream(fc.boolean()),
      async ({ all, chunks }, groups, maxLength, readsAll, turns) => {
        const socket = fromDuplex(streamOf(chunks, turns), { allowHalfOpen: true, keepOpen: true });
        const read = reader(socket, { maxLength });
        let left = all.toString('latin1');
        for (const group of groups) left = await compare(group, read, left, maxLength);
        if (readsAll) left = await compare([readAll], read, left, maxLength);
        read.release();
        const rest = await lastValueFrom(socket.pipe(data(), toArray()));
        expect(Buffer.concat(rest).toString('latin1')).toBe(left);
        socket.error();
      },
    ),
  );
});

test('iteration between reads yields everything that arrives, in order and once', async () => {
  await checkProperty(
    fc.asyncProperty(
      input.chain((all) => fc.record({ all: fc.constant(all), chunks: chunkings(all) })),
      fc.array(fc.tuple(fc.array(aRead, { maxLength: 2 }), fc.nat(2)), { maxLength: 6 }),
      fc.infiniteStream(fc.boolean()),
      async ({ all, chunks }, steps, turns) => {
        const socket = fromDuplex(streamOf(chunks, turns), { allowHalfOpen: true, keepOpen: true });
        const read = reader(socket, { maxLength: 1000 });
        let left = all.toString('latin1');
        for (const [group, count] of [...steps, [[], Number.POSITIVE_INFINITY] as const]) {
          left = await compare(group, read, left, 1000);
          let taken = 0;
          while (taken++ < count) {
            const { value, done } = await read[Symbol.asyncIterator]().next();
            if (done) break;
            expect(value.length).toBeGreaterThan(0);
            expect(value.toString('latin1')).toBe(left.slice(0, value.length));
            left = left.slice(value.length);
          }
        }
        expect(left).toBe('');
        read.release();
        socket.error();
      },
    ),
  );
});
