// A chat server: the first line a client sends is its name, and everybody gets what the others say from then on.
import { data, lines, listen, mapWithBackpressure, on, type Socket, serve } from '@rxsock/core';
import { endWith, filter, finalize, ignoreElements, map, merge, of, Subject, startWith, takeUntil, tap } from 'rxjs';
import { fail, onCtrlC, printEvent, type ServerOptions, serverCommand } from './cli.js';

const { host, port, drain } = serverCommand('chat-server', 'Passes on what each client says to all the others.')
  .addHelpText('after', '\nTry it, in two terminals:\n  nc 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const server = listen({ host, port });
const said = new Subject<{ readonly by: Socket; readonly text: string }>();

function hear(socket: Socket, line: string): void {
  if (socket.name) said.next({ by: socket, text: `${socket.name}: ${line}\n` });
  else if (line !== '') {
    socket.name = line;
    said.next({ by: socket, text: `* ${socket.name} is here\n` });
  }
}

function leave(socket: Socket): void {
  if (socket.name) said.next({ by: socket, text: `* ${socket.name} has left\n` });
}

function chat(socket: Socket) {
  // What the client says is heard, and emits nothing; at its FIN, or when the server closes, it has left.
  const left = socket.pipe(
    data(),
    lines({ maxLength: 1024 }),
    tap((line) => hear(socket, line)),
    ignoreElements(),
    endWith('left'),
  );
  const closing = server.pipe(on('draining'));
  return said.pipe(
    filter(({ by }) => by !== socket && socket.name !== ''),
    map(({ text }) => text),
    // The policy for slow clients: nobody waits for them. Each one has a queue of 100 lines, and loses the oldest.
    mapWithBackpressure((text) => of(text), { highWaterMark: 100, overflow: 'dropOldest' }),
    startWith('What is your name?\n'),
    takeUntil(merge(left, closing)),
    finalize(() => leave(socket)),
  );
}

server.pipe(serve(chat)).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
