// Many requests over few connections: a pool dials them when they are needed, and uses them again.
import { connect, connectionPool, data, lines } from '@rxsock/core';
import { Command } from 'commander';
import { finalize, from, map, mergeMap, take, tap } from 'rxjs';
import { count, fail, onCtrlC, port } from './cli.js';

const program = new Command('connection-pool')
  .description('Sends each request as a line, all at a time, and prints the answers.')
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', port)
  .argument('<requests...>', 'the lines to send')
  .option('--max <number>', 'how many connections there may be', count, 2)
  .addHelpText('after', '\nTry it with the echo-server:\n  connection-pool 127.0.0.1 <port> one two three four')
  .parse();
const [host, serverPort, requests] = program.processedArgs as [string, number, string[]];
const { max } = program.opts<{ max: number }>();

let dialled = 0;
const dial = () => {
  const socket = connect({ host, port: serverPort, idleTimeout: 10_000 });
  socket.name = `connection ${++dialled}`;
  return socket;
};
const pool = connectionPool(dial, { max });

/** One exchange: a line, and the line that answers it. The connection is then free for another. */
const ask = (request: string) =>
  pool.use((socket) => {
    socket.next(`${request}\n`);
    return socket.pipe(
      data(),
      lines(),
      take(1),
      map((answer) => `${request} -> ${answer} (${socket.name})`),
    );
  });

const asking = from(requests)
  .pipe(
    mergeMap(ask),
    tap((line) => console.log(line)),
    finalize(() => pool.close()),
  )
  .subscribe({ error: fail });

onCtrlC(() => asking.unsubscribe());
