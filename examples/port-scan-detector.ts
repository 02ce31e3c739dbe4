// Listens on ports where nobody has any business, and tells of who touches several of them in a short time.
import { listen, on, serve } from '@rxsock/core';
import { Command } from 'commander';
import { bufferCount, debounceTime, distinct, EMPTY, filter, groupBy, map, merge, mergeMap, take, tap } from 'rxjs';
import { count, fail, milliseconds, onCtrlC, port, printEvent } from './cli.js';

const program = new Command('port-scan-detector')
  .description('Tells of addresses from which several ports are touched in a short time.')
  .argument('<ports...>', 'the ports to listen on; 0 takes any free one', (text, all: number[] = []) => [
    ...all,
    port(text),
  ])
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--touched <number>', 'how many different ports are too many', count, 3)
  .option('--within <ms>', 'touches belong together that are no further apart, in milliseconds', milliseconds, 5000)
  .addHelpText('after', '\nTry it:\n  port-scan-detector 7031 7032 7033\n  nc -z 127.0.0.1 7031-7033')
  .parse();
const [ports] = program.processedArgs as [number[]];
const { host, touched, within } = program.opts<{ host: string; touched: number; within: number }>();

const servers = ports.map((port) => listen({ host, port }));

// Nothing is said and nothing is read: each connection gets a FIN at once. Who leaves before they are accepted, or scans
// without connecting, is not seen.
merge(...servers.map((server) => server.pipe(serve(() => EMPTY))))
  .pipe(
    tap((event) => event.type === 'listening' && printEvent(event)),
    on('connection'),
    mergeMap(({ socket: { local, remote } }) =>
      local && remote && 'port' in local && 'port' in remote ? [{ port: local.port, by: remote.address }] : [],
    ),
    groupBy(({ by }) => by, { duration: (touches) => touches.pipe(debounceTime(within)) }),
    mergeMap((touches) =>
      touches.pipe(
        map(({ port }) => port),
        distinct(),
        bufferCount(touched),
        filter(({ length }) => length === touched),
        take(1),
        map((ports) => `${touches.key} has touched ${touched} ports: ${ports.join(', ')}`),
      ),
    ),
  )
  .subscribe({ next: (line) => console.log(line), error: fail });

onCtrlC(() => {
  for (const server of servers) server.close({ drain: 0 });
});
