// Talks to a daemon over its control socket: sends one command, and prints the answer.
import { lines, through } from '@rxsock/core';
import { connect } from '@rxsock/unix';
import { of, throwIfEmpty } from 'rxjs';
import { fail, untilCtrlC } from './cli.js';
import { commandLine } from './kit/command-line.js';

const program = commandLine('unix-control', 'Sends a command to the unix-control-server, and prints the answer.')
  .argument('<path>', 'its control socket')
  .argument('<command>', 'the command: status or stop')
  .addHelpText('after', '\nTry it with the unix-control-server:\n  unix-control control.sock status')
  .parse();
const [path, command] = program.processedArgs as [string, string];

const socket = connect({ path, idleTimeout: 10_000, signal: untilCtrlC() });

// through() sends FIN after the command. The daemon then knows that there are no more, and ends the connection too.
of(`${command}\n`)
  .pipe(
    through(socket),
    lines({ maxLength: 1000 }),
    throwIfEmpty(() => new Error('The daemon ended the connection without an answer')),
  )
  .subscribe({ next: console.log, error: fail });
