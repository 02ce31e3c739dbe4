// The runtime that runs the contenders.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProgram } from './programs.js';

export type HostName = 'node' | 'bun';

export interface Host {
  readonly name: HostName;
  /** The path of its program. */
  readonly path: string;
  readonly version: string;
}

/** Finds a runtime: Node is the one that runs this, Bun is on the PATH or in node_modules. */
export function findHost(name: HostName): Host {
  if (name === 'node') return { name, path: process.execPath, version: process.version };
  const installed = ['../node_modules/.bin/bun', '../../node_modules/.bin/bun']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find(existsSync);
  const path = findProgram('bun') ?? installed;
  if (path === undefined) throw new Error('bun is neither on the PATH nor in node_modules: npm install --global bun');
  return { name, path, version: spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim() };
}
