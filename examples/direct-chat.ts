// A chat between two terminals without a server: one side waits, the other side calls, and either can end it.
import { connect, connections, flowFrom, formatEndpoint, lines, listen, on, type Socket, through } from '@rxsock/core';
import { delay, finalize, fromEvent, merge, of, switchMap, take, takeUntil, tap } from 'rxjs';
import { fail, printable, printEvent, untilCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine(
  'direct-chat',
  'Sends lines between two terminals: one side waits with --listen, the other side calls it.',
)
  .argument('[host]', 'the host to call')
  .argument('[port]', 'the port to call', parsePort)
  .option('--listen [port]', 'wait for a call on this port, or on any free port', parsePort)
  .option('--host <address>', 'the address to wait on', '127.0.0.1')
  .addHelpText('after', '\nTry it, in two terminals:\n  direct-chat --listen 7020\n  direct-chat 127.0.0.1 7020')
  .parse();
const [remoteHost, remotePort] = program.processedArgs as [string?, number?];
const { listen: localPort, host } = program.opts<{ listen?: number | true; host: string }>();

const hungUp = fromEvent(untilCtrlC(), 'abort');

/** Emits the socket of the only connection. take(1) closes the server, so a second caller is refused. */
function meet() {
  if (localPort !== undefined) {
    const server = listen({ host, port: localPort === true ? 0 : localPort });
    return server.pipe(
      tap((event) => printEvent(event)),
      connections(),
      take(1),
    );
  }
  if (remoteHost === undefined || remotePort === undefined)
    return program.error('error: give a host and a port to call, or --listen to wait for a call');
  return of(connect({ host: remoteHost, port: remotePort }));
}

function talk(socket: Socket) {
  const watching = socket.pipe(on('connect')).subscribe({
    next: ({ remote }) => remote && console.log(`* ${formatEndpoint(remote)}`),
    error: () => {}, // through() fails with the same error
  });
  // After Ctrl-C the other side has a second to end the chat too. Then the connection is reset.
  watching.add(hungUp.pipe(delay(1_000)).subscribe(() => socket.error()));
  return flowFrom<Buffer>(process.stdin).pipe(
    // Ends our input at the other side's FIN too. Otherwise through() would cut it there, which resets the connection.
    takeUntil(merge(socket.pipe(on('end')), hungUp)),
    through(socket),
    lines({ maxLength: 10_000 }),
    finalize(() => watching.unsubscribe()),
  );
}

meet()
  .pipe(takeUntil(hungUp), switchMap(talk))
  .subscribe({
    next: (line) => console.log(`< ${printable(line)}`),
    error: (error) => fail(error, '* goodbye'),
    complete: () => console.log('* goodbye'),
  });
