// verifyCodec(), at its defaults, must find each planted fault, name the law, and show the bytes that matter.
import { afterAll, expect, test } from 'vitest';
import { verifyCodec } from '../../src/fast-check/index.js';
import { faultyCodecs } from './faulty-codecs.js';

const times: string[] = [];

test.each(faultyCodecs)('finds that $fault', ({ fault, codec, options, law, bytes }) => {
  const start = performance.now();
  let story = 'nothing was found';
  try {
    verifyCodec(codec, options);
  } catch (error) {
    ({ message: story } = error as Error);
  }
  times.push(`${(performance.now() - start).toFixed(0).padStart(6)} ms  ${fault}`);
  if (process.env.RXSOCK_STORIES) console.log(`${fault}\n\n${story}`);
  expect(story).toContain(`The codec breaks the law "${law}": `);
  expect(/these bytes: (.*)/.exec(story)?.[1]).toMatch(bytes);
});

afterAll(() => console.log(`verifyCodec() found, after\n${times.join('\n')}`));
