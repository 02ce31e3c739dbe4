// spamd-client with a real spamd, and with answers that are none.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startOnFreePort } from '../interop/support.js';
import { Program } from '../support/program.js';
import { example } from './support.js';
import { temporaryFolder } from './temporary-folder.js';

/** A spamd with one rule: `rxsock-spam` in a message makes it spam. */
async function startSpamd(folder: string) {
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
  const { program, port } = await startOnFreePort(start, /child states: I\n/, 'stderr');
  // By its own signal, so that it takes its children with it.
  const stop = async () => {
    program.kill('SIGTERM');
    await program.exited;
  };
  return { port, [Symbol.asyncDispose]: stop };
}

async function ask(command: string, port: number, message: string) {
  const client = example('spamd-client', command, '127.0.0.1', port);
  client.stdin.end(message);
  return { code: await client.exited, stdout: client.stdout, stderr: client.stderr };
}

it('gets the verdict of a spamd, which waits for the half-close', async () => {
  await using folder = await temporaryFolder();
  await using spamd = await startSpamd(folder.path);
  const message = (text: string) => `Subject: hi\r\n\r\n${text}\r\n${'lorem ipsum\r\n'.repeat(10_000)}`;

  expect(await ask('CHECK', spamd.port, message('buy rxsock-spam'))).toEqual({
    code: 0,
    stdout: '',
    stderr: 'Spam: True ; 10.0 / 5.0\n',
  });
  expect(await ask('SYMBOLS', spamd.port, message('hello'))).toMatchObject({ stderr: 'Spam: False ; 0.0 / 5.0\n' });
  const report = await ask('REPORT', spamd.port, message('rxsock-spam'));
  expect(report.stdout).toMatch(/It is Yes, by 10\.0/);
  expect(report).toMatchObject({ code: 0, stderr: 'Spam: True ; 10.0 / 5.0\n' });
});

it.each([
  ['HTTP/1.0 400 Bad Request\r\n\r\n', 'The answer is not that of a spamd\n'],
  ['SPAMD/1.0 76 Bad header line: hello\r\n', 'spamd refuses: Bad header line: hello\n'],
  ['SPAMD/1.1 0 EX_OK\r\nContent-length: 10\r\n\r\nfive!', 'Only 5 of 10 bytes have come\n'],
  ['', 'The answer is not that of a spamd\n'],
])('does not take %j for an answer', async (answer, told) => {
  const server = net.createServer({ allowHalfOpen: true }, (peer) => peer.resume().on('end', () => peer.end(answer)));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;

  expect(await ask('CHECK', port, 'Subject: hi\r\n\r\nhello\r\n')).toEqual({ code: 1, stdout: '', stderr: told });
});
