// Builds a copy of the library with one fault, and lets a child process run the model on it.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transform } from 'rolldown/utils';
import type { Fault, Ground } from './faults.js';

const core = fileURLToPath(new URL('../../../', import.meta.url));
const src = join(core, 'src');
const program = fileURLToPath(new URL('./run-model.mjs', import.meta.url));

/** What the model has found. */
export interface Finding {
  /** The message, with the law and the story; `undefined` if nothing was found. */
  readonly message?: string;
  readonly milliseconds: number;
}

/** Builds the library in a folder, file by file. */
export async function buildLibrary(folder: string): Promise<void> {
  for (const file of await readdir(src, { recursive: true })) {
    if (file.endsWith('.ts')) await build(file, await readFile(join(src, file), 'utf8'), folder);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(core, 'node_modules'), join(folder, 'node_modules'));
}

/** Plants a fault. Throws if its place has changed. The returned function takes it out again. */
export async function plant({ file, find, replace }: Fault, folder: string): Promise<() => Promise<void>> {
  const source = await readFile(join(src, file), 'utf8');
  if (source.split(find).length !== 2) throw new Error(`${find} does not occur exactly once in ${file}`);
  await build(
    file,
    source.replace(find, () => replace),
    folder,
  );
  return () => build(file, source, folder);
}

async function build(file: string, source: string, folder: string): Promise<void> {
  const { code, errors } = await transform(file, source);
  if (errors.length > 0) throw new Error(`${file} is no TypeScript: ${errors[0]?.message}`);
  const path = join(folder, 'dist', file.replace(/ts$/, 'js'));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}

/** Runs the model on the library in the folder. */
export async function runModel(folder: string, ground: Ground, seed: number): Promise<Finding> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder, ground, String(seed)]);
  return JSON.parse(stdout) as Finding;
}
