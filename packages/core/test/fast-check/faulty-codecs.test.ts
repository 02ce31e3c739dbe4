// verifyCodec(), at its defaults, must find each planted fault, name the law, and show the bytes that matter.
import { afterAll, expect, test } from 'vitest';
import { verifyCodec } from '../../src/fast-check/index.js';
import { faultyCodecs } from './faulty-codecs.js';

/** Another seed may end with another counterexample, which is as small. */
const SEED = 3;

/**
 * The law of linear time is measured, and blames no codec that a busy machine has made slow. So there one check may miss
 * a fault that shows only in the time.
 */
const isMeasured = (law: string) => law === 'linear time';
const ATTEMPTS = 10;

function storyOf(verify: () => void): string | undefined {
  try {
    verify();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const times: string[] = [];

test.each(faultyCodecs)('finds that $fault', ({ fault, codec, options, law, bytes }) => {
  const start = performance.now();
  let story: string | undefined;
  for (let attempt = 0; !story && attempt < (isMeasured(law) ? ATTEMPTS : 1); attempt++) {
    story = storyOf(() => verifyCodec(codec, { seed: SEED, ...options }));
  }
  times.push(`${(performance.now() - start).toFixed(0).padStart(6)} ms  ${fault}`);
  if (process.env.RXSOCK_STORIES) console.log(`${fault}\n\n${story}`);
  expect(story).toContain(`The codec breaks the law "${law}": `);
  expect(/these bytes: (.*)/.exec(story ?? '')?.[1]).toMatch(bytes);
});

afterAll(() => console.log(`verifyCodec() found, after\n${times.join('\n')}`));
