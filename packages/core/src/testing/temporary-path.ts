// A path for a UNIX socket, in a folder of its own that only this user can enter.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryPath {
  readonly path: string;
  /** Removes the folder and everything in it. */
  remove(): Promise<void>;
}

export async function temporaryPath(): Promise<TemporaryPath> {
  const folder = await mkdtemp(join(tmpdir(), 'rxsock-'));
  return { path: join(folder, 'socket'), remove: () => rm(folder, { recursive: true, force: true }) };
}
