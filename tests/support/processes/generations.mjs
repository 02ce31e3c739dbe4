// A server that hands itself over to the next generation of itself at SIGHUP, and then exits; SIGTERM closes it. It answers
// each connection in three parts, so that some are always open, with its generation. It prints what it does, as its
// successors do.
import { formatEndpoint, handOver, inheritedListeners, on, serve } from '@rxsock/core';
import { interval, map, take } from 'rxjs';

/** @param open Makes the server, on the descriptor that it has inherited if there is one. */
export function run(open) {
  const generation = Number(process.env.GENERATION ?? 0);
  const parts = [`generation ${generation}\n`, 'x'.repeat(50_000), '\nend\n'];

  const [inherited] = inheritedListeners();
  const server = open(inherited?.fd);
  server
    .pipe(
      serve(() =>
        interval(1).pipe(
          map((index) => parts[index]),
          take(parts.length),
        ),
      ),
    )
    .subscribe(({ type }) => type === 'connectionError' && console.log('connectionError'));
  server.pipe(on('listening')).subscribe(({ address }) => {
    console.log(`listening ${generation} ${process.pid} ${formatEndpoint(address)}`);
    process.send?.('ready');
  });

  process.once('SIGHUP', async () => {
    const env = { ...process.env, GENERATION: String(generation + 1) };
    await handOver(server, process.execPath, process.argv.slice(1), { env, drain: Number.POSITIVE_INFINITY });
    console.log(`closed ${generation}`);
  });
  process.once('SIGTERM', () => server.close());
}
