// A program that runs once: if you start it again, it passes its arguments to the process that already runs.
import path from 'node:path';
import { formatEndpoint } from '@rxsock/core';
import { AlreadyRunningError, singleInstance } from '@rxsock/core/process';
import { fail, onCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine('single-instance', 'Prints the files that you ask it to open, from whichever terminal.')
  .argument('[files...]', 'the files to open')
  .option('--port <number>', 'the port where the first instance listens', parsePort, 27_123)
  .addHelpText('after', '\nTry it, in two terminals:\n  single-instance one.txt\n  single-instance two.txt')
  .parse();
const { port } = program.opts<{ readonly port: number }>();

const open = (files: readonly string[], folder: string) => {
  for (const file of files) console.log(`Opening ${path.resolve(folder, file)}`);
};

const instance = singleInstance({ name: 'rxsock-single-instance', port, args: program.args }).subscribe({
  next: (event) => {
    if (event.type === 'launch') open(event.args, event.cwd);
    else {
      console.log(`The first instance, on ${formatEndpoint(event.address)}`);
      open(program.args, process.cwd());
    }
  },
  error: (error) => {
    if (error instanceof AlreadyRunningError && error.delivered) console.log(`Passed to process ${error.pid}`);
    else fail(error);
  },
});

onCtrlC(() => instance.unsubscribe());
