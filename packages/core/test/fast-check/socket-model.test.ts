// The model of sockets: the library keeps its laws, and every planted fault breaks one.
import { describe, expect, test } from 'vitest';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { faults } from './planted/faults.js';
import { copyLibrary, plant, runModel } from './planted/plant.js';

describe('the model of sockets finds a planted fault', () => {
  test.each(faults.map((fault) => [fault.name, fault] as const))('%s', { timeout: 60_000 }, async (name, fault) => {
    const folder = await testFolder();
    await copyLibrary(folder);
    await plant(fault, folder);
    const { message, milliseconds } = await runModel(folder, fault.ground, 1);
    console.log(`${milliseconds} ms: ${name}\n${message ?? 'nothing was found'}`);
    expect(message).toMatch(/The connection breaks the law/);
  });
});
