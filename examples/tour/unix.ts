// A UNIX socket: the same functions, with a path instead of a port, and file permissions instead of a firewall.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, lines, on, serve, through } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { firstValueFrom, lastValueFrom, map, range, reduce } from 'rxjs';
import { number } from './kit/format.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';

const COUNT = 100_000;

export async function overUnix(): Promise<Outcome> {
  using meter = new Meter();
  const directory = await mkdtemp(join(tmpdir(), 'rxsock-tour-unix-'));
  try {
    const path = join(directory, 'doubler');
    const server = listen({ path });
    const double = map((line: string) => `${2 * Number(line)}\n`);
    server.pipe(serve((socket) => meter.watch(socket).pipe(data(), lines(), double))).subscribe();
    await firstValueFrom(server.pipe(on('listening')));
    const { mode } = await stat(path);

    const start = performance.now();
    const doubling = range(1, COUNT).pipe(
      map((n) => `${n}\n`),
      through(meter.watch(connect({ path }))),
      lines(),
      reduce((sum, line) => sum + Number(line), 0),
    );
    const sum = await lastValueFrom(doubling);
    const seconds = (performance.now() - start) / 1000;
    await server.close();
    const removed = await stat(path).then(
      () => false,
      ({ code }) => code === 'ENOENT',
    );

    return {
      bytes: meter.bytesSent,
      seconds,
      peakQueue: meter.queue.max,
      checks: [
        check(sum === COUNT * (COUNT + 1), `${number(COUNT)} numbers were doubled, line by line`),
        check((mode & 0o777) === 0o600, `only this user may open its file: mode ${(mode & 0o777).toString(8)}`),
        check(removed, 'the server removed the file when it closed'),
      ],
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}
