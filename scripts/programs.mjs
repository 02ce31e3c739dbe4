// Installs the programs that the tests talk to and that are missing: npm run programs
import { spawnSync } from 'node:child_process';
import { debianPackages, isInstalled } from '../tests/support/programs.mjs';

const missing = () => Object.keys(debianPackages).filter((program) => !isInstalled(program));

/** Runs the commands of root beside this file. Returns why it may not, or did not. */
function install(packages) {
  if (!isInstalled('apt-get')) return 'This is not Debian';
  const isRoot = process.getuid() === 0;
  if (!isRoot && !isInstalled('sudo')) return 'You are not root, and there is no sudo';
  const script = new URL('install-debian-packages.sh', import.meta.url).pathname;
  const command = [...(isRoot ? [] : ['sudo']), 'sh', script, ...packages];
  const { status } = spawnSync(command[0], command.slice(1), { stdio: 'inherit' });
  return status === 0 ? undefined : 'apt-get failed';
}

const before = missing();
if (before.length === 0) {
  console.log(`All ${Object.keys(debianPackages).length} programs are installed`);
} else {
  const packages = [...new Set(before.map((program) => debianPackages[program]))];
  console.log(`Missing: ${before.join(', ')}`);
  const failed = install(packages) ?? (missing().length ? `Still missing: ${missing().join(', ')}` : undefined);
  if (failed) {
    console.error(`${failed}. Install them by hand: apt-get install ${packages.join(' ')}`);
    process.exitCode = 1;
  } else {
    console.log(`Installed: ${packages.join(', ')}`);
  }
}
