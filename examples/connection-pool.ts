// Many requests over few connections: a pool dials a connection when it needs one, and uses it again.
import { connect, connectionPool, data, lines } from '@rxsock/core';
import { finalize, from, map, mergeMap, take, tap } from 'rxjs';
import { fail, onCtrlC } from './cli.js';
import { commandLine, parseCount, parsePort } from './kit/command-line.js';

const program = commandLine(
  'connection-pool',
  'Sends all requests at the same time, each as a line, and prints the answers.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .argument('<requests...>', 'the lines to send')
  .option('--max <number>', 'the most connections at a time', parseCount, 2)
  .addHelpText('after', '\nTry it with the echo-server:\n  connection-pool 127.0.0.1 <port> one two three four')
  .parse();
const [host, port, requests] = program.processedArgs as [string, number, string[]];
const { max } = program.opts<{ max: number }>();

let dialled = 0;
const dial = () => {
  const socket = connect({ host, port, idleTimeout: 10_000 });
  socket.name = `connection ${++dialled}`;
  return socket;
};
const pool = connectionPool(dial, { max });

/** Sends a line and emits the answer. take(1) completes, and then the pool may lend the connection again. */
const ask = (request: string) =>
  pool.use((socket) => {
    socket.next(`${request}\n`);
    return socket.pipe(
      data(),
      lines({ trailing: 'error' }), // half a line is no answer
      take(1),
      map((answer) => `${request} -> ${answer} (${socket.name})`),
    );
  });

const answers = from(requests)
  .pipe(
    mergeMap(ask),
    tap((line) => console.log(line)),
    finalize(() => pool.close()),
  )
  .subscribe({ error: fail });

onCtrlC(() => answers.unsubscribe());
