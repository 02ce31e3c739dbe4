// A program that runs once: to start it again hands the arguments to the one that runs already.
import path from 'node:path';
import { formatEndpoint } from '@rxsock/core';
import { AlreadyRunningError, singleInstance } from '@rxsock/core/process';
import { Command } from 'commander';
import { fail, onCtrlC, port as portNumber } from './cli.js';

const program = new Command('single-instance')
  .description('Prints the files that it is to open, whichever terminal asks for them.')
  .argument('[files...]', 'what to open')
  .option('--port <number>', 'the port by which it finds itself', portNumber, 27_123)
  .addHelpText('after', '\nTry it, in two terminals:\n  single-instance one.txt\n  single-instance two.txt')
  .parse();
const { port } = program.opts<{ readonly port: number }>();

const open = (files: readonly string[], folder: string) => {
  for (const file of files) console.log(`Opening ${path.resolve(folder, file)}`);
};

const running = singleInstance({ name: 'rxsock-single-instance', port, args: program.args }).subscribe({
  next: (event) => {
    if (event.type === 'launch') open(event.args, event.cwd);
    else {
      console.log(`The first one, on ${formatEndpoint(event.address)}`);
      open(program.args, process.cwd());
    }
  },
  error: (error) => {
    if (error instanceof AlreadyRunningError && error.delivered) console.log(`Left to process ${error.pid}`);
    else fail(error);
  },
});

onCtrlC(() => running.unsubscribe());
