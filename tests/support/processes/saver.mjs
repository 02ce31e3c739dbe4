// Saves to a file and never completes on its own. Its arguments are the file and what else it does with signals.
import process from 'node:process';
import { saveTo } from '@rxsock/core';
import { Subject } from 'rxjs';

const [file, how, signal] = process.argv.slice(2);
const source = new Subject();

/** What the package signal-exit does with a signal. */
function signalExit(emitter) {
  const onSignal = () => {
    if (process.listeners(signal).length !== emitter.count) return;
    process.removeListener(signal, onSignal);
    emitter.count--;
    process.kill(process.pid, signal);
  };
  emitter.count = 1;
  process.on(signal, onSignal);
}

const complete = () => source.complete();
if (how === 'completes') process.on(signal, complete);
if (how === 'completes once') process.once(signal, complete);
if (how === 'raises again') process.once(signal, () => process.kill(process.pid, signal));
if (how === 'exits') process.on(signal, () => process.exit(7));
if (how === 'throws at exit') {
  process.on('exit', () => {
    throw new Error('at exit');
  });
}
if (how === 'signal-exit 3') {
  process.__signal_exit_emitter__ = {};
  signalExit(process.__signal_exit_emitter__);
}
if (how === 'signal-exit 4') {
  globalThis[Symbol.for('signal-exit emitter')] = {};
  signalExit(globalThis[Symbol.for('signal-exit emitter')]);
}

source.pipe(saveTo(file, { resume: how === 'resumes' })).subscribe({
  next: ({ bytesSaved }) => bytesSaved > 0 && process.stdout.write('saving\n'),
  complete: () => process.exit(),
});
source.next(Buffer.from('bytes'));

process.stdin.on('data', (command) => {
  if (`${command}` === 'complete') complete();
  if (`${command}` === 'exit') process.exit(7);
  if (`${command}` === 'throw') throw new Error('not caught');
  if (`${command}` === 'run out') process.stdin.destroy();
});
