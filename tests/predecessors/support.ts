// Compiles the programs in the pages of docs/coming-from and runs them as a reader would. Also our side of the tests.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Endpoint, Server } from '@rxsock/core';
import { on } from '@rxsock/core';
import { firstValueFrom, type Observable } from 'rxjs';
import { onTestFinished } from 'vitest';
import { Program } from '../support/program.js';
import { root, snippetsOf } from '../support/snippets.js';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/**
 * Compiles the program of a page, its last block, inside the workspace. Returns a function that starts it with
 * arguments.
 */
export async function ported(system: string): Promise<(...args: readonly (string | number)[]) => Program> {
  const program = (await snippetsOf(`docs/coming-from/${system}.md`, 'ts')).at(-1)!;
  const parent = join(root, 'tests', 'predecessors', 'dist');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, `${system}-`));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'program.ts'), program.code);
  const config = {
    extends: '../../../../tsconfig.base.json',
    compilerOptions: { composite: false, declaration: false, declarationMap: false, types: ['node'] },
    include: ['program.ts'],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [tsc, '-p', folder]);
  return (...args) => new Program(process.execPath, [join(folder, 'program.js'), ...args.map(String)]);
}

/** Listens until the test is over. Subscribes to `served`, for example the result of serve(). Returns the address. */
export async function listening<A extends Endpoint>(
  server: Server<A>,
  served: Observable<unknown> = server,
): Promise<A> {
  onTestFinished(() => server.close({ drain: 0 }));
  const address = firstValueFrom(server.pipe(on('listening')));
  served.subscribe();
  return (await address).address;
}
