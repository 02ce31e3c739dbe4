// Listening leaves the modules of the process alone.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../../../tests/support/program.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';

const program = fileURLToPath(new URL('./import-package.mjs', import.meta.url));

test('a process that has listened still finds the packages beside a package that is a symbolic link', async () => {
  const folder = await testFolder();
  const store = join(folder, 'store', 'node_modules');
  for (const [name, text] of [
    ['one', "module.exports = require('two');"],
    ['two', "module.exports = 'found';"],
  ] as const) {
    mkdirSync(join(store, name), { recursive: true });
    writeFileSync(join(store, name, 'index.js'), text);
  }
  symlinkSync(join(store, 'one'), join(folder, 'one'));

  const { stdout, stderr } = await run(process.execPath, [
    program,
    join(folder, 'socket'),
    join(folder, 'one', 'index.js'),
  ]);

  expect({ stdout, stderr }).toEqual({ stdout: 'found\n', stderr: '' });
});
