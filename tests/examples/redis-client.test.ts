// The Redis client with redis-server: logins, pushes between replies, and a server that was started again.
import { afterAll, expect, test } from 'vitest';
import type { Listening } from '../support/listening-programs.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import { restartRedis, startRedis } from '../support/redis.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Example, exampleWith } from './support.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let redis: Listening;
beforeAllWithPrograms(async () => {
  folder = await temporaryFolder();
  redis = await startRedis(folder.path, '--requirepass', 'secret');
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Running {
  readonly port?: number;
  readonly password?: string;
  readonly input?: string;
}

function client({ port = redis.port, password = 'secret', input }: Running, ...flags: string[]): Example {
  const options = { env: { REDIS_PASSWORD: password }, ...(input === undefined ? {} : { input }) };
  return exampleWith(options, 'redis-client', '127.0.0.1', port, '--user', 'default', ...flags);
}

test('answers thousands of commands in their order, with every type of value, and ends with its input', async () => {
  const counts = Array.from({ length: 5_000 }, (_, i) => i + 1);
  const commands = ['DEL n', ...counts.map(() => 'INCR n'), 'HSET h k v', 'HGETALL h', 'ZADD z 1.5 q', 'ZSCORE z q'];
  await using program = client({ input: [...commands, '', 'GET nothing', 'NONSENSE', 'SMEMBERS s'].join('\n') });

  expect(await program.exited).toBe(0);
  expect(program.stderr).toBe('');
  const lines = program.stdout.trimEnd().split('\n');
  expect(lines.slice(1, 5_001)).toEqual(counts.map(String));
  expect(lines.slice(5_002)).toEqual([
    '{ "k": "v" }',
    expect.stringMatching(/^[01]$/),
    '1.5',
    '(nothing)',
    expect.stringMatching(/^\(error\) ERR unknown command/),
    '[]',
  ]);
});

test('refuses commands without a reply of their own, which would take the reply of the next one', async () => {
  await using program = client({ input: 'SUBSCRIBE news\nECHO one\nmonitor\nECHO two\nCLIENT REPLY OFF\nECHO three' });

  expect(await program.exited).toBe(0);
  const refused = expect.stringMatching(/^\(refused\) /);
  expect(program.stdout.trimEnd().split('\n')).toEqual([refused, '"one"', refused, '"two"', refused, '"three"']);
});

test('prints pushes between the replies: published messages, and keys that change', async () => {
  await using listener = client({}, '--subscribe', 'news', '--track');
  listener.stdin.write('PING\n');
  await listener.printed(/^\* "subscribe" "news" 1\nPONG\n/);
  await using other = client({ input: 'SET key 1\nPUBLISH news hello\n' });
  expect(await other.exited).toBe(0);
  expect(other.stdout).toBe('OK\n1\n');
  await listener.printed(/^\* "invalidate" \["key"\]\n/m);
  await listener.printed(/^\* "message" "news" "hello"\n/m);

  expect(await listener.interrupt()).toBe(0);
  expect(listener.stderr).toBe('');
});

test('comes back after a restart: logs in, subscribes, and sends what was typed meanwhile', async () => {
  const flags = ['--requirepass', 'secret'];
  await using first = await startRedis(folder.path, ...flags);
  const { port } = first;
  await using program = client({ port }, '--subscribe', 'news');
  program.stdin.write('BLPOP never 0\n');
  program.stdin.write('PING\n');
  await program.printed(/^\* "subscribe" "news" 1\n/);
  first.program.kill('SIGKILL');
  await program.printed(/^\(lost\) .*\n\(lost\) .*\n/m);
  await program.printed(/^\* attempt 1 in/m, 'stderr');
  program.stdin.write('SET after 1\n');
  await using again = await restartRedis(folder.path, port, ...flags);
  await program.printed(/\* "subscribe" "news" 1\nOK\n$/);

  expect(await program.interrupt()).toBe(0);
  expect(again.stdout).not.toContain('crash');
});

test('does not come again with a password that the server has refused', async () => {
  await using program = client({ password: 'wrong' });

  expect(await program.exited).toBe(1);
  expect(program.stdout).toBe('');
  expect(program.stderr).toMatch(/^(\* )?The setup of the connection failed: WRONGPASS .*\n/);
  expect(program.stderr).not.toContain('attempt');
});
