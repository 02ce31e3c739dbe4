// The laws that verifyCodec() checks, and the error that shows which law a codec breaks, and how.
import { inspect, types } from 'node:util';
import fc from 'fast-check';

/** The laws. Each begins with its name and says what it demands. */
export const LAWS = {
  decoder: '"decoder": decoder() returns an object with push(), next(), end() and rest()',
  roundTrip: '"round trip": encoded values are decoded to the same values, with nothing left',
  chunking: '"chunking": frames, error and rest() do not depend on how the input was cut',
  order: '"order": the frames before a bad frame are returned first',
  stableError: '"stable error": after an error, next() throws the same error object again',
  progress: '"progress": frames use up the input, so they come to an end',
  oneEnd: '"one end": next() returns no frame after the end or an error',
  ownMemory: '"memory": a frame does not share memory with a chunk',
  reusableMemory: '"memory": a chunk may be overwritten once next() has returned undefined or has thrown',
  boundedMemory: '"memory": the decoder keeps no more bytes of an unfinished frame than the limit',
  wholeInput: '"rest": the frames returned and rest() together are the input',
  pureRest: '"rest": rest() returns a copy, and calling it changes nothing',
} as const;

export type Law = (typeof LAWS)[keyof typeof LAWS];

/** A codec breaks a law. The message describes the counterexample. */
export class LawViolation extends Error {}

/** One run of a decoder: its input, and how the input was given to it. */
export interface DecoderRun {
  readonly input: Uint8Array;
  /** For messages: `in 2 chunks of 1 + 4 bytes`. */
  readonly how: string;
}

/** Throws a LawViolation about a decoder. */
export function reportViolation(law: Law, { input, how }: DecoderRun, expected: string, received: string): never {
  throw lawViolation(law, [`input:    ${showBytes(input)}`, `decoded:  ${how}`], expected, received);
}

/** Throws a LawViolation about an encoder. */
export function reportRefusedValue(value: unknown, error: unknown): never {
  throw lawViolation(LAWS.roundTrip, [`value:    ${showValue(value)}`], 'encode() accepts it', showFailure({ error }));
}

function lawViolation(law: Law, counterexample: string[], expected: string, received: string): LawViolation {
  const details = [...counterexample, `expected: ${expected}`, `received: ${received}`];
  return new LawViolation([`The codec breaks the law ${law}`, ...details].join('\n  '));
}

export function showFailure(failure: { readonly error: unknown } | undefined): string {
  if (!failure) return 'no error';
  const { error } = failure;
  if (!(error instanceof Error)) return `the error ${fc.stringify(error)}`;
  const fields = Object.entries(error).filter(([key, value]) => key !== 'name' && value !== undefined);
  const shownFields = fields.length > 0 ? ` ${fc.stringify(Object.fromEntries(fields))}` : '';
  return `${error.name}: ${error.message}${shownFields}`;
}

export function showValue(value: unknown): string {
  return types.isUint8Array(value) ? showBytes(value) : fc.stringify(value);
}

/** How many bytes, and how many sizes of chunks, a message shows. */
const SHOWN = 48;

/** Shows bytes in hexadecimal and as text in Latin-1, which has a character for every byte. */
export function showBytes(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, SHOWN));
  const more = bytes.length > SHOWN ? '…' : '';
  const text = inspect(shown.toString('latin1'));
  return `<${shown.toString('hex')}${more}> ${text}${more} (${count(bytes.length, 'byte')})`;
}

/** Says how an input was cut. */
export function showChunks(chunks: readonly Uint8Array[]): string {
  if (chunks.length === 1) return 'in one chunk';
  const lengths = chunks.slice(0, SHOWN).map(({ length }) => length);
  return `in ${chunks.length} chunks of ${lengths.join(' + ')}${chunks.length > SHOWN ? ' + …' : ''} bytes`;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
