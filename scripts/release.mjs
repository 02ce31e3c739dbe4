// Publishes the packages of this work tree: npm run release. With --rehearse it publishes to a registry on this machine,
// and tries what a user does with it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkTarball } from './lib/check-packed.mjs';
import { packAll, publishedPackages, root } from './lib/packages.mjs';
import { rehearse } from './lib/rehearse.mjs';

/** What is missing for a release. A rehearsal does without. */
function problems() {
  const shared = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const empty = ['repository', 'homepage', 'bugs'].filter((key) => !shared[key]);
  const status = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  return [
    ...empty.map((key) => `package.json has no ${key}: enter it, then run: npm run manifests`),
    ...(status ? ['The work tree has changes: commit them'] : []),
    // npm makes provenance only where the service vouches for the build.
    ...(process.env.ACTIONS_ID_TOKEN_REQUEST_URL || process.env.SIGSTORE_ID_TOKEN
      ? []
      : ['There is no provenance: run this in CI, in a job that may write id-token']),
  ];
}

/** A release candidate does not become what `npm install` takes. */
const tagOf = (version) => (version.includes('-') ? 'next' : 'latest');

const isRehearsal = process.argv.includes('--rehearse');
const found = isRehearsal ? [] : problems();
if (found.length) {
  for (const problem of found) console.error(problem);
  console.error('Nothing was published. To try it on this machine: npm run release -- --rehearse');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'rxsock-release-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
execFileSync(process.execPath, [join(root, 'scripts', 'manifests.mjs'), '--check'], { stdio: 'inherit' });
const tarballs = await packAll(folder);
if (tarballs.map(checkTarball).includes(false)) process.exit(1);

const { version } = publishedPackages()[0].manifest;
if (isRehearsal) {
  await rehearse(folder, tarballs, version);
} else {
  // Core is first: the others need it.
  for (const tarball of tarballs) {
    const { status } = spawnSync('npm', ['publish', tarball, '--tag', tagOf(version)], { stdio: 'inherit' });
    if (status !== 0) process.exit(1);
  }
}
console.log(`${isRehearsal ? 'Rehearsed' : 'Published'} ${version}`);
