// Runs SpamAssassin's spamd.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { type Listening, startOnFreePort } from './listening-programs.js';
import { Program } from './program.js';

/** A spamd with one rule: `rxsock-spam` in a message makes it spam. */
export async function startSpamd(folder: string): Promise<Listening> {
  const [rules, site] = [`${folder}/rules`, `${folder}/site`];
  // Started by root, it reads its rules as nobody.
  await chmod(folder, 0o755);
  await mkdir(rules);
  await mkdir(site);
  await writeFile(
    `${rules}/rxsock.cf`,
    'body RXSOCK /rxsock-spam/\nscore RXSOCK 10\nreport It is _YESNO_, by _HITS_\n',
  );
  await writeFile(`${site}/init.pre`, 'loadplugin Mail::SpamAssassin::Plugin::Check\n');
  const flags = ['--local', '--nouser-config', '--max-children=1', '--syslog=stderr', '--listen=127.0.0.1'];
  const start = (port: number) =>
    new Program('spamd', [...flags, `--configpath=${rules}`, `--siteconfigpath=${site}`, `--port=${port}`], {
      env: { HOME: folder },
    });
  const spamd = await startOnFreePort(start, /child states: I\n/, 'stderr');
  // With SIGTERM, so that it ends its children too.
  const stop = async () => {
    spamd.program.kill('SIGTERM');
    await spamd.program.exited;
  };
  return { ...spamd, [Symbol.asyncDispose]: stop };
}
