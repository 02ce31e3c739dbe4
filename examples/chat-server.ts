// A chat server: the first line from a client is its name; after that, all other clients receive what it says.
import { data, lines, listen, mapWithBackpressure, on, type Socket, serve } from '@rxsock/core';
import { endWith, filter, finalize, ignoreElements, map, merge, of, Subject, startWith, takeUntil, tap } from 'rxjs';
import { fail, onCtrlC, printable, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain } = serverCommandLine('chat-server', 'Sends what each client says to all the others.')
  .addHelpText('after', '\nTry it, in two terminals:\n  nc 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const server = listen({ host, port });
const messages = new Subject<{ readonly from: Socket; readonly text: string }>();

function receive(from: Socket, line: string): void {
  if (from.name) messages.next({ from, text: `${from.name}: ${line}\n` });
  else if (line !== '') {
    from.name = line;
    messages.next({ from, text: `* ${from.name} is here\n` });
  }
}

function sayGoodbye(from: Socket): void {
  if (from.name) messages.next({ from, text: `* ${from.name} has left\n` });
}

function chat(socket: Socket) {
  // Emits once, at the client's FIN.
  const left = socket.pipe(
    data(),
    lines({ maxLength: 1024 }),
    tap((line) => receive(socket, printable(line))),
    ignoreElements(),
    endWith('left'),
  );
  const closing = server.pipe(on('draining'));
  return messages.pipe(
    filter(({ from }) => from !== socket && socket.name !== ''),
    map(({ text }) => text),
    // Nobody waits for a slow client: it has a queue of 100 lines, and loses the oldest ones.
    mapWithBackpressure((text) => of(text), { highWaterMark: 100, overflow: 'dropOldest' }),
    startWith('What is your name?\n'),
    takeUntil(merge(left, closing)),
    finalize(() => sayGoodbye(socket)),
  );
}

server.pipe(serve(chat)).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
