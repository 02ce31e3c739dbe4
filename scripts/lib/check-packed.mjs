// What packed packages must fulfil: their size, and "Are the types wrong?". tests/packed asks publint.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename } from 'node:path';

/** How large a tarball may be, in bytes: a tenth more than it was when this was written. */
const LARGEST = { core: 465_000, tls: 26_000, udp: 33_000, unix: 18_500 };

/** A CommonJS file that requires the packages gets ES modules: Node can do that. Everything else must resolve. */
const ATTW = [
  '--yes',
  '@arethetypeswrong/cli@0.18.5',
  '--ignore-rules',
  'cjs-resolves-to-esm',
  '--format',
  'table-flipped',
];

/** Checks a tarball. Prints what is wrong, and returns whether nothing is. */
export function checkTarball(tarball) {
  const name = /rxsock-([a-z]+)-/.exec(basename(tarball))[1];
  const { size } = statSync(tarball);
  const isSmall = size <= LARGEST[name];
  console.log(`${basename(tarball)}: ${size} bytes of ${LARGEST[name]}${isSmall ? '' : ': too large'}`);
  const { status } = spawnSync('npx', [...ATTW, tarball], { stdio: 'inherit' });
  return isSmall && status === 0;
}
