// A server that hands its listener over to a new process of the same program at SIGHUP, and then exits. SIGTERM closes
// it. It answers each connection with its generation, in three parts, so that some connections are always open. It
// prints what it does, and so do its successors.
import { formatEndpoint, on, serve } from '@rxsock/core';
import { handOver, inheritedListeners } from '@rxsock/core/process';
import { interval, map, take } from 'rxjs';

/** @param open Makes the server, on the inherited descriptor if there is one. */
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
