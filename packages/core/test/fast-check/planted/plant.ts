// Builds a copy of the library with one fault, and lets a child process run the model on it.
import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Fault, Ground } from './faults.js';

const core = fileURLToPath(new URL('../../../', import.meta.url));
const program = fileURLToPath(new URL('./run-model.mjs', import.meta.url));

/** What the model has found. */
export interface Finding {
  /** The message, with the law and the story; `undefined` if nothing was found. */
  readonly message?: string;
  readonly milliseconds: number;
}

/** Copies the built library into a folder. */
export async function copyLibrary(folder: string): Promise<void> {
  await cp(join(core, 'dist'), join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(core, 'node_modules'), join(folder, 'node_modules'));
}

/** Plants a fault. Throws if its place has changed. The returned function takes it out again. */
export async function plant({ file, find, replace }: Fault, folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'dist', file);
  const source = await readFile(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`${find} does not occur exactly once in ${file}`);
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
  return () => writeFile(path, source);
}

/** Runs the model on the library in the folder. */
export async function runModel(folder: string, ground: Ground, seed: number): Promise<Finding> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder, ground, String(seed)]);
  return JSON.parse(stdout) as Finding;
}
