// A daemon with a control socket: users who may open the socket file can ask for its status, or stop it.
import { data, lines, serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';
import { map } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { commandLine } from './kit/command-line.js';

const program = commandLine(
  'unix-control-server',
  'Runs until it is stopped. Obeys the commands "status" and "stop" on a UNIX socket.',
)
  .argument('<path>', 'the control socket: a file that only this user may open, removed when the daemon ends')
  .addHelpText('after', '\nTry it:\n  unix-control-server control.sock\n  unix-control control.sock status')
  .parse();
const [path] = program.processedArgs as [string];

const startedAt = Date.now();
const stop = () => server.close({ drain: 2000 });

const commands = new Map<string, () => string>([
  ['status', () => `running for ${Math.round((Date.now() - startedAt) / 1000)} s as process ${process.pid}`],
  [
    'stop',
    () => {
      stop();
      return 'stopping';
    },
  ],
]);

function answer(line: string): string {
  const command = commands.get(line);
  return `${command ? command() : `unknown command: ${line}; use ${[...commands.keys()].join(' or ')}`}\n`;
}

// removeStale removes the socket file of a daemon that crashed. If a daemon still listens there, listen() fails.
const server = listen({ path, removeStale: true, idleTimeout: 60_000 });

server
  .pipe(serve((socket) => socket.pipe(data(), lines({ maxLength: 100 }), map(answer))))
  .subscribe({ next: printEvent, error: fail });

onCtrlC(stop);
