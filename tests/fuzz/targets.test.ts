// Every fuzz target with its whole corpus, and with inputs near it. `npm run fuzz` goes on from there.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { targets } from '../../fuzz/src/targets/index.js';
import { checkProperty } from '../support/property.js';

const folder = fileURLToPath(new URL('../../fuzz/corpus', import.meta.url));

/** Each input of a network target costs a round trip. */
const runsOf = (name: string) => (['udp-request', 'tls-entry'].includes(name) ? 100 : 1000);

test('every target has a corpus, and every corpus a target', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(targets).sort());
});

describe.each(Object.entries(targets))('%s', (name, target) => {
  const corpus = readdirSync(`${folder}/${name}`).map((file) => readFileSync(`${folder}/${name}/${file}`));
  afterAll(() => target.close?.());

  test('accepts every input of the corpus', async () => {
    for (const input of corpus) await target.fuzz(input);
  });

  test('accepts inputs near the corpus', async () => {
    await checkProperty(
      fc.asyncProperty(near(corpus), async (input) => target.fuzz(input)),
      { numRuns: runsOf(name) },
    );
  });
});

/** Inputs of the corpus with a piece of random bytes, or of another input, in the place of a piece. */
function near(corpus: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const input = fc.oneof(fc.constantFrom(...corpus), fc.uint8Array({ maxLength: 64 }));
  const edit = fc.record({
    at: fc.nat(300),
    length: fc.nat(8),
    piece: fc.oneof(fc.uint8Array({ maxLength: 8 }), input),
  });
  return fc
    .tuple(input, fc.array(edit, { maxLength: 4 }))
    .map(([start, edits]) =>
      edits.reduce<Uint8Array>(
        (bytes, { at, length, piece }) =>
          Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]).subarray(0, 4096),
        start,
      ),
    );
}
