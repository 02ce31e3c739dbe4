// A table of services of a test's own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder that is gone when the test is over. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rxsock-names-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** A file of its own with this text. */
export async function servicesFile(text: string): Promise<string> {
  const file = join(await folder(), 'services');
  await writeFile(file, text);
  return file;
}
