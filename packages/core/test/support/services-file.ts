// A table of services for a test.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testFolder } from '../../../../tests/support/temporary-folder.js';

/** A temporary file with this text. */
export async function servicesFile(text: string): Promise<string> {
  const file = join(await testFolder(), 'services');
  await writeFile(file, text);
  return file;
}
