// A daemon with a control socket: whoever may open the file can ask how it is, or stop it.
import { data, lines, serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';
import { Command } from 'commander';
import { map } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';

const program = new Command('unix-control-server')
  .description('Does nothing but run, and obeys "status" and "stop" on a UNIX socket.')
  .argument('<path>', 'the control socket: a file for this user alone, which goes with the daemon')
  .addHelpText('after', '\nTry it:\n  unix-control-server control.sock\n  unix-control control.sock status')
  .parse();
const [path] = program.processedArgs as [string];

const begun = Date.now();
const stop = () => server.close({ drain: 2000 });

const commands = new Map<string, () => string>([
  ['status', () => `running for ${Math.round((Date.now() - begun) / 1000)} s as process ${process.pid}`],
  [
    'stop',
    () => {
      stop();
      return 'stopping';
    },
  ],
]);

function obey(line: string): string {
  const command = commands.get(line);
  return `${command ? command() : `unknown: ${line}; there are ${[...commands.keys()].join(', ')}`}\n`;
}

// What a daemon that crashed has left is taken away; a daemon that runs is not: then there is an error.
const server = listen({ path, removeStale: true, idleTimeout: 60_000 });

server
  .pipe(serve((socket) => socket.pipe(data(), lines({ maxLength: 100 }), map(obey))))
  .subscribe({ next: printEvent, error: fail });

onCtrlC(stop);
