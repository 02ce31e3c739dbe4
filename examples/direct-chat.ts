// A chat of two, without a server: one waits, the other calls; it ends when either has said all.
import { connect, connections, flowFrom, formatEndpoint, lines, listen, on, type Socket, through } from '@rxsock/core';
import { Command } from 'commander';
import { delay, finalize, fromEvent, map, merge, of, switchMap, take, takeUntil, tap } from 'rxjs';
import { fail, port, printEvent, untilCtrlC } from './cli.js';

const program = new Command('direct-chat')
  .description('Passes on lines between two terminals: one side waits with --listen, the other calls it.')
  .argument('[host]', 'whom to call')
  .argument('[port]', 'and at which port', port)
  .option('--listen [port]', 'wait for a call, at this port or any free one', port)
  .option('--host <address>', 'the address to wait at', '127.0.0.1')
  .addHelpText('after', '\nTry it, in two terminals:\n  direct-chat --listen 7020\n  direct-chat 127.0.0.1 7020')
  .parse();
const [calledHost, calledPort] = program.processedArgs as [string?, number?];
const { listen: waitAt, host } = program.opts<{ listen?: number | true; host: string }>();

/** The one connection there is: when it is there nobody else is let in. */
function meet() {
  if (waitAt !== undefined) {
    const server = listen({ host, port: waitAt === true ? 0 : waitAt });
    return server.pipe(
      tap((event) => printEvent(event)),
      connections(),
      take(1),
    );
  }
  if (calledHost === undefined || calledPort === undefined)
    return program.error('error: say whom to call, or --listen');
  return of(connect({ host: calledHost, port: calledPort }));
}

const hungUp = fromEvent(untilCtrlC(), 'abort');

function talk(socket: Socket) {
  const met = socket
    .pipe(on('connect'))
    .subscribe(({ remote }) => remote && console.log(`* ${formatEndpoint(remote)}`));
  // After Ctrl-C the other one has a second to say goodbye, too.
  met.add(hungUp.pipe(delay(1_000)).subscribe(() => socket.error()));
  // What is typed ends with the other's goodbye, too: so it is whole, and the other gets ours.
  return flowFrom<Buffer>(process.stdin).pipe(
    takeUntil(merge(socket.pipe(on('end')), hungUp)),
    through(socket),
    lines({ maxLength: 10_000 }),
    finalize(() => met.unsubscribe()),
  );
}

meet()
  .pipe(
    takeUntil(hungUp),
    switchMap(talk),
    map((line) => line.replace(/\p{C}/gu, '\uFFFD')), // nothing that a terminal would obey
  )
  .subscribe({
    next: (line) => console.log(`< ${line}`),
    error: (error) => fail(error, '* goodbye'),
    complete: () => console.log('* goodbye'),
  });
