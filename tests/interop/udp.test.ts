// socat over UDP: single datagrams, the empty one and the largest one.
import { on } from '@rxsock/core';
import { bind, connect, messages, request } from '@rxsock/udp';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { Program } from '../support/program.js';

/** Starts a socat that joins the first peer with a program. An empty datagram ends it. */
async function startSocat(to: string, ...flags: string[]): Promise<{ socat: Program; port: number }> {
  const socat = new Program('socat', ['-d', '-d', ...flags, 'UDP-LISTEN:0,bind=127.0.0.1,null-eof', to]);
  const [, port] = await socat.printed(/listening on UDP AF=2 127\.0\.0\.1:(\d+)/, 'stderr');
  return { socat, port: Number(port) };
}

test('answers each request, and ends with an empty datagram', async () => {
  const { socat, port } = await startSocat('EXEC:cat', '-t', '20');
  await using _ = socat;
  const socket = connect({ port });
  const keep = socket.pipe(messages()).subscribe();

  for (const text of ['one', 'two', 'three']) {
    const { data, remote } = await firstValueFrom(request(socket, text));
    expect(data.toString()).toBe(text);
    expect(remote).toEqual({ address: '127.0.0.1', port, family: 'IPv4' });
  }
  await socket.send('');

  expect(await socat.exited).toBe(0);
  keep.unsubscribe();
});

test('receives the largest datagram whole', async () => {
  const { socat, port } = await startSocat('EXEC:"wc -c"', '-u', '-b', '65536');
  await using _ = socat;
  const socket = connect({ port });

  await socket.send(Buffer.alloc(65_507));
  await socat.printed(/starting data transfer loop/, 'stderr');
  await socket.send('');

  expect(await socat.exited).toBe(0);
  expect(socat.stdout.trim()).toBe('65507');
});

test('sends to bind(), which replies to the sender of each datagram', async () => {
  const socket = bind();
  const listening = firstValueFrom(socket.pipe(on('listening')));
  const echo = socket.pipe(on('message')).subscribe(socket);
  onTestFinished(() => echo.unsubscribe());
  const { address } = await listening;
  await using socat = new Program('socat', ['-', `UDP:127.0.0.1:${address.port}`]);

  for (const text of ['one\n', 'two\n']) {
    socat.stdin.write(text);
    await socat.printed(new RegExp(text));
  }

  expect(socat.stdout).toBe('one\ntwo\n');
});
