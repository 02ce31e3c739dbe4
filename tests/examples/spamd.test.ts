import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startSpamd } from '../support/spamd.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { example } from './support.js';

async function ask(command: string, port: number, message: string) {
  const client = example('spamd-client', command, '127.0.0.1', port);
  client.stdin.end(message);
  return { code: await client.exited, stdout: client.stdout, stderr: client.stderr };
}

test('gets the verdict of spamd, which waits for the half-close', async () => {
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

test.each([
  ['HTTP/1.0 400 Bad Request\r\n\r\n', 'The answer is not from spamd\n'],
  ['SPAMD/1.0 76 Bad header line: hello\r\n', 'spamd rejected the request: Bad header line: hello\n'],
  ['SPAMD/1.1 0 EX_OK\r\nContent-length: 10\r\n\r\nfive!', 'Received only 5 of 10 bytes\n'],
  ['', 'The answer is not from spamd\n'],
])('does not take %j for an answer', async (answer, expected) => {
  const server = net.createServer({ allowHalfOpen: true }, (peer) => peer.resume().on('end', () => peer.end(answer)));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;

  expect(await ask('CHECK', port, 'Subject: hi\r\n\r\nhello\r\n')).toEqual({ code: 1, stdout: '', stderr: expected });
});
