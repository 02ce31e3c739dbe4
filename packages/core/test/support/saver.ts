// A process that saves a file and does not finish.
import path from 'node:path';
import { expect } from 'vitest';
import { program } from '../../../../tests/support/processes/index.js';
import { Program } from '../../../../tests/support/program.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { names } from './files.js';

/** What it has written. */
export const BYTES = Buffer.from('bytes');

/** Starts a process that saves to `file` in a new folder. Waits until the first bytes are written. */
export async function saver(...how: string[]) {
  const directory = await testFolder();
  const file = path.join(directory, 'file');
  const child = new Program(process.execPath, [program('saver'), file, ...how]);
  await child.printed(/saving/);
  expect(await names(directory)).toEqual([expect.stringMatching(/^\.file\..*\.(part|resuming)$/)]);
  return { child, directory, file };
}
