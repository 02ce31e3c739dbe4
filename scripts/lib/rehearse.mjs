// A release on this machine: a registry of its own, the packages as they are, a next patch and a next minor version, and
// a project that installs and upgrades them.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts verdaccio, for our packages only. Returns its address, and how to stop it. */
async function startRegistry(folder) {
  mkdirSync(folder);
  const dependencies = { verdaccio: '6.8.0' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies, overrides: { 'node-fetch': '2.7.0' } }));
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder });
  const config = {
    storage: './storage',
    packages: { '@rxsock/*': { access: '$all', publish: '$all' } },
    log: { type: 'stdout', format: 'pretty', level: 'warn' },
  };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const port = await freePort();
  const args = ['node_modules/verdaccio/bin/verdaccio', '--config', 'config.yaml', '--listen', `127.0.0.1:${port}`];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const address = `http://127.0.0.1:${port}/`;
  while (!(await fetch(`${address}-/ping`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error('verdaccio could not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { address, stop: () => child.kill() };
}

/** A copy of a packed package with another version, and with a core of that version as its peer. */
async function withVersion(folder, tarball, version) {
  const to = join(folder, `${version}-${basename(tarball, '.tgz')}`);
  mkdirSync(to);
  await run('tar', ['xzf', tarball, '--strip-components=1', '-C', to]);
  const path = join(to, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  manifest.version = version;
  for (const kind of ['peerDependencies', 'devDependencies']) {
    if (manifest[kind]?.['@rxsock/core']) manifest[kind]['@rxsock/core'] = `^${version}`;
  }
  writeFileSync(path, JSON.stringify(manifest));
  return to;
}

/** Publishes `version`, upgrades a project to the next patch, and to the next minor version, by npm alone. */
export async function rehearse(folder, tarballs, version) {
  const registry = await startRegistry(join(folder, 'registry'));
  try {
    const npmrc = `@rxsock:registry=${registry.address}\n//${new URL(registry.address).host}/:_authToken=none\n`;
    const npm = async (cwd, ...args) => {
      writeFileSync(join(cwd, '.npmrc'), npmrc);
      console.log(`npm ${args.join(' ')}`);
      const { stdout } = await run('npm', [...args, '--no-audit', '--no-fund'], { cwd });
      return stdout;
    };
    const publish = async (path, tag) => {
      await npm(folder, 'publish', path, '--tag', tag, '--provenance=false');
    };
    const publishAs = async (next, tag) => {
      for (const tarball of tarballs) await publish(await withVersion(folder, tarball, next), tag);
    };
    const project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    writeFileSync(
      join(project, 'main.mjs'),
      "import { listen, data } from '@rxsock/core';\nimport * as tls from '@rxsock/tls';\nimport '@rxsock/unix';\n" +
        "import '@rxsock/udp';\ntls.connect({ port: 1 }).pipe(data());\nconsole.log(typeof listen);\n",
    );
    /** The versions of all copies that are installed. Fails unless there is one of each package. */
    const installed = async () => {
      const { dependencies } = JSON.parse(await npm(project, 'ls', '--all', '--json'));
      const copies = new Set();
      const collect = (tree = {}) => {
        for (const [name, { version: found, dependencies: deeper }] of Object.entries(tree)) {
          if (name.startsWith('@rxsock/')) copies.add(`${name}@${found}`);
          collect(deeper);
        }
      };
      collect(dependencies);
      if (copies.size !== tarballs.length) throw new Error(`Installed several copies: ${[...copies].join(' ')}`);
      await run(process.execPath, ['main.mjs'], { cwd: project });
      console.log(`  ${[...copies].sort().join('  ')}: one copy of each, and a program runs`);
    };
    const names = tarballs.map((tarball) => tarball.split('/').at(-1).split('-')[1]).map((name) => `@rxsock/${name}`);

    const [major, minor, patch] = version.split(/[.-]/).map(Number);
    for (const tarball of tarballs) await publish(tarball, 'latest');
    await npm(project, 'install', ...names, 'rxjs@7');
    await installed();

    const nextPatch = `${major}.${minor}.${patch + 1}`;
    await publishAs(nextPatch, 'latest');
    await npm(project, 'update', '@rxsock/core');
    await installed();
    await npm(project, 'update');
    await installed();

    const nextMinor = `${major}.${minor + 1}.0-rc.0`;
    await publishAs(nextMinor, 'next');
    await npm(project, 'update');
    await installed();
    await npm(project, 'install', ...names.map((name) => `${name}@next`));
    await installed();
  } finally {
    registry.stop();
  }
}
