// The model of sockets finds faults: each is planted in a copy of the library, and breaks a law.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faults } from './planted/faults.js';
import { buildLibrary, plant, runModel } from './planted/plant.js';

/** With this seed, every fault is found within the number of runs. */
const SEED = 1;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rxsock-planted-'));
  await buildLibrary(folder);
});

afterAll(() => rm(folder, { recursive: true }));

describe('the model of sockets finds that', () => {
  test.each(faults.map((fault) => [fault.name, fault] as const))('%s', { timeout: 120_000 }, async (name, fault) => {
    const takeOut = await plant(fault, folder);
    const { message, milliseconds } = await runModel(folder, fault.ground, SEED);
    await takeOut();
    console.log(`${milliseconds} ms: ${name}`);
    expect(message).toMatch(/^The connection breaks the law/);
  });
});
