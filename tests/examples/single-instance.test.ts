// single-instance, started several times.
import { once } from 'node:events';
import net from 'node:net';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { instancePort } from '../support/processes/index.js';
import { example } from './support.js';

test('hands its arguments to the running instance, for as long as that one runs', async () => {
  const port = await instancePort();
  await using first = example('single-instance', '--port', port, 'one.txt');
  await first.printed(/^The first instance, on 127\.0\.0\.1:\d+\nOpening .*one\.txt\n$/);
  const [, pid] = await handedOver(port, 'two.txt', '/three.txt');
  await first.printed(/^Opening \/three\.txt\n$/m);
  expect(first.stdout).toBe(
    `The first instance, on 127.0.0.1:${port}\nOpening ${resolve('one.txt')}\nOpening ${resolve('two.txt')}\nOpening /three.txt\n`,
  );

  expect(await first.interrupt()).toBe(0);
  expect(first.stderr).toBe('');
  await using next = example('single-instance', '--port', port);
  await next.printed(/^The first instance, on 127\.0\.0\.1:\d+\n$/);
  expect((await handedOver(port))[1]).not.toBe(pid);
});

test('reports in one line that another program uses the port', async () => {
  const other = net.createServer((peer) => peer.on('error', () => {}).end('220 ready\r\n')).listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as net.AddressInfo;
  await using program = example('single-instance', '--port', port);
  expect(await program.exited).toBe(1);
  expect(program.stderr).toMatch(/^Something listens on 127\.0\.0\.1:\d+ but did not identify itself as .*\n$/);
  expect(program.stdout).toBe('');
});

/** Starts a later instance. Returns the process to which it handed its arguments. */
async function handedOver(port: number, ...files: string[]): Promise<RegExpExecArray> {
  await using later = example('single-instance', '--port', port, ...files);
  expect(await later.exited).toBe(0);
  return later.printed(/^Passed to process (\d+)\n$/);
}
