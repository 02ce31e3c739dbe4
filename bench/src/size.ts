// The sizes of installed packages.
import { execFile } from 'node:child_process';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { number, tableOf } from './report.js';

/** The goal for core: at most so many bytes. */
export const MOST = 1_000_000;

const CORE = '@rxsock/core';

export const SIZE_GOAL = `${CORE} ≤ ${number(MOST / 1e6)} MB`;

export interface PackageSize {
  readonly name: string;
  readonly bytes: number;
}

const modules = fileURLToPath(new URL('../node_modules', import.meta.url));

/** What npm would unpack of our packages, and what rxjs takes for comparison. */
export async function installedSizes(): Promise<readonly PackageSize[]> {
  const folder = join(modules, '@rxsock');
  const ours = await Promise.all(
    (await readdir(folder)).map(async (name) => ({
      name: `@rxsock/${name}`,
      bytes: await packedSize(join(folder, name)),
    })),
  );
  return [{ name: 'rxjs', bytes: await folderSize(join(modules, 'rxjs')) }, ...ours];
}

async function packedSize(folder: string): Promise<number> {
  const cwd = await realpath(folder);
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout)[0].unpackedSize;
}

async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(await realpath(folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export function reportSizes(sizes: readonly PackageSize[]): string {
  const table = tableOf(['installed-size', 'KB unpacked']);
  for (const { name, bytes } of sizes) table.push([name, number(bytes / 1000)]);
  const core = sizeOfCore(sizes);
  return `${table}\ngoal: ${SIZE_GOAL}: ${number(core / 1e6)} MB, ${core <= MOST ? 'reached' : 'MISSED'}`;
}

export function sizeOfCore(sizes: readonly PackageSize[]): number {
  return sizes.find(({ name }) => name === CORE)?.bytes ?? Number.NaN;
}
