// Compiles the peers that are written in C: see ../native/peer.c.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../native/peer.c', import.meta.url));

/** Compiles them into a folder that is removed when the process exits. Returns `undefined` without a C compiler. */
export function compileNative(): string | undefined {
  const folder = mkdtempSync(join(os.tmpdir(), 'rxsock-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'peer');
  const { error, status, stderr } = spawnSync('cc', ['-O2', '-o', program, SOURCE], { encoding: 'utf8' });
  if (error) return undefined;
  if (status !== 0) throw new Error(`cc cannot compile ${SOURCE}:\n${stderr}`);
  return program;
}
