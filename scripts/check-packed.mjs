// Checks the packages as they are published: npm run check-packed
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkTarball } from './lib/check-packed.mjs';
import { packAll } from './lib/packages.mjs';

const folder = mkdtempSync(join(tmpdir(), 'rxsock-packed-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const passed = (await packAll(folder)).map(checkTarball);
if (passed.includes(false)) process.exitCode = 1;
