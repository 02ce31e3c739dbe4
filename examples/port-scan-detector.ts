// Listens on ports that nobody should use, and reports addresses that connect to several of them in a short time.
import { listen, on, serve } from '@rxsock/core';
import { bufferCount, debounceTime, distinct, EMPTY, filter, groupBy, map, merge, mergeMap, take, tap } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { commandLine, parseMilliseconds, parsePort, wholeNumber } from './kit/command-line.js';

const program = commandLine('port-scan-detector', 'Reports addresses that connect to several ports in a short time.')
  .argument('<ports...>', 'the ports to listen on; 0 means any free port', (text, all: number[] = []) => [
    ...all,
    parsePort(text),
  ])
  .option('--host <address>', 'the address to listen on', '127.0.0.1')
  .option('--threshold <number>', 'how many different ports make a scan', wholeNumber(1, 65_535), 3)
  .option('--within <ms>', 'the longest pause inside a scan, in milliseconds', parseMilliseconds, 5000)
  .addHelpText('after', '\nTry it:\n  port-scan-detector 7031 7032 7033\n  nc -z 127.0.0.1 7031-7033')
  .parse();
const [ports] = program.processedArgs as [number[]];
const { host, threshold, within } = program.opts<{ host: string; threshold: number; within: number }>();

const servers = ports.map((port) => listen({ host, port }));

// EMPTY ends each connection at once, without reading or writing. A scan that does not complete the TCP handshake is
// not detected.
merge(...servers.map((server) => server.pipe(serve(() => EMPTY))))
  .pipe(
    tap((event) => event.type === 'listening' && printEvent(event)),
    on('connection'),
    mergeMap(({ socket: { local, remote } }) =>
      local && remote && 'port' in local && 'port' in remote ? [{ port: local.port, from: remote.address }] : [],
    ),
    groupBy(({ from }) => from, { duration: (contacts) => contacts.pipe(debounceTime(within)) }),
    mergeMap((contacts) =>
      contacts.pipe(
        map(({ port }) => port),
        distinct(),
        bufferCount(threshold),
        filter(({ length }) => length === threshold),
        take(1),
        map((ports) => `${contacts.key} connected to ${threshold} ports: ${ports.join(', ')}`),
      ),
    ),
  )
  .subscribe({ next: (line) => console.log(line), error: fail });

onCtrlC(() => {
  for (const server of servers) server.close({ drain: 0 });
});
