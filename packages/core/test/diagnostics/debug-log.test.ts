// NODE_DEBUG=rxsock: what a program prints that does not know of it. It runs the build.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Program } from '../../../../tests/support/program.js';

const program = `
  import { connect, connectionPool, data, listen, on, reconnect, serve } from '${fileURLToPath(new URL('../../dist/index.js', import.meta.url))}';
  const refused = () => connect({ host: '127.0.0.1', port: 1 });
  reconnect(refused, { maxRetries: 1, backoff: { initial: 1, jitter: 0 } }).subscribe({ error: () => {} });
  connectionPool(refused).acquire().subscribe({ error: () => {} });
  const server = listen();
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  server.pipe(on('listening')).subscribe(({ address }) => {
    const socket = connect({ port: address.port });
    socket.next('secret');
    socket.hold('lunch')();
    socket.complete();
    socket.subscribe({ error: () => {}, complete: () => server.close() });
  });
`;

/** Runs the program. Returns its lines, without what differs from run to run. */
async function linesWith(NODE_DEBUG: string): Promise<string[]> {
  const run = new Program(process.execPath, ['--input-type=module', '--eval', program], { env: { NODE_DEBUG } });
  expect(await run.exited).toBe(0);
  const text = run.stderr.replace(/127\.0\.0\.1:\d+/g, 'here').replace(/localhost:\d+/g, 'there');
  return text.split('\n').filter((line) => line.startsWith('RXSOCK'));
}

test('NODE_DEBUG=rxsock prints a line for each message, without payload', async () => {
  const lines = await linesWith('rxsock');
  const events = lines.map((line) => /^RXSOCK \d+: (\w+ \w+): /.exec(line)?.[1]).sort();
  expect(events).toEqual(
    [
      'server listening',
      'socket hold',
      'socket release',
      'socket dial',
      'server connection',
      'socket open',
      'socket open',
      'socket close',
      'socket close',
      'server draining',
      'server close',
      // Two attempts of the reconnecting socket, and one of the pool.
      ...['dial', 'error', 'close'].flatMap((event) => Array(3).fill(`socket ${event}`)),
      'reconnect retry',
      'reconnect close',
      'pool error',
    ].sort(),
  );
  expect(lines.join('\n')).not.toContain('secret');
  const text = lines.join('\n');
  expect(text).toMatch(/socket hold: Socket #\d+ tcp idle → there \(6 waiting to be written, held by lunch\)$/m);
  expect(text).toMatch(/socket release: .* \| held for \d+\.\d ms$/m);
  expect(text).toMatch(/socket open: Socket #\d+ tcp open here → here .*\| dialled for \d+\.\d ms$/m);
  expect(text).toMatch(
    /reconnect retry: ReconnectingSocket waiting → here \| attempt 1 in 1 ms \| ConnectError ECONNREFUSED: /m,
  );
  expect(text).toMatch(/reconnect close: ReconnectingSocket closed .* \| ReconnectError ERR_RECONNECT_EXHAUSTED: /m);
  expect(text).toMatch(/pool error: ConnectionPool \(.*\) \| ConnectError ECONNREFUSED: /m);
  expect(text).toMatch(/socket close: .* closed here ← here .*\| fin by \w+ after \d+ ms, 0 bytes unsent$/m);
});

test('without it, nothing is printed', async () => {
  expect(await linesWith('')).toEqual([]);
});
