// npm start: a tour of the library. Every step checks what it shows. The exit code is 0 only if all checks hold.
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from '@rxsock/inspector';
import { lastValueFrom } from 'rxjs';
import { commandLine, wholeNumber } from '../kit/command-line.js';
import { chat } from './chat.js';
import { throughForwarder } from './forwarder.js';
import { halfClose } from './half-close.js';
import { bytes } from './kit/format.js';
import { makeRandomFile } from './kit/random-file.js';
import { Screen } from './kit/screen.js';
import type { Step } from './kit/step.js';
import { runTour } from './kit/tour.js';
import { sendAFile } from './send-file.js';
import { sensors } from './sensors.js';
import { slowReceiver } from './slow-receiver.js';
import { overTls } from './tls.js';
import { overUdp } from './udp.js';
import { overUnix } from './unix.js';

const MIB = 2 ** 20;
/** The most that is sent to the slow receiver. */
const SLOW_SIZE = 32 * MIB;

// If something ends this process before the last step has passed, that is a failure.
process.exitCode = 1;

const options = commandLine(
  'npm start --',
  'Shows what rxsock does, on 127.0.0.1. The exit code is 0 only if every check holds.',
)
  .option(
    '--size <MiB>',
    `the size of the file that is sent; needs twice as much space in ${tmpdir()}`,
    wholeNumber(16, 1_048_576),
    256,
  )
  .option('--inspect', 'shows the sockets on a page in the browser, and goes on with 20 clients, until Ctrl-C', false)
  .addHelpText('after', '\nTry it:\n  npm start -- --size 16')
  .parse()
  .opts<{ size: number; inspect: boolean }>();
const size = options.size * MIB;
const directory = mkdtempSync(join(tmpdir(), 'rxsock-tour-'));
const file = join(directory, 'random');
const screen = new Screen();
let isComplete = false;

process.on('exit', () => {
  screen.endBars();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    screen.endBars();
    if (isComplete) process.exit();
    screen.note(`\nStopped by ${signal}: the tour is not complete.`);
    process.exit(128 + constants.signals[signal]);
  });
}

const steps: Step[] = [
  {
    name: 'file over TCP',
    shows: `${bytes(size)} of random bytes go over TCP, from disk to disk`,
    source: 'examples/tour/send-file.ts',
    run: async (progress) => {
      const bar = progress.bar('made', size);
      await makeRandomFile(file, size, (bytes) => bar.update(bytes));
      return sendAFile(file, size, progress);
    },
  },
  {
    name: 'slow receiver',
    shows: 'A slow receiver slows the sender down, and no queue grows',
    source: 'examples/tour/slow-receiver.ts',
    run: (progress, [first]) => {
      const { bytes, seconds } = first?.outcome ?? {};
      if (!bytes || !seconds) throw new Error('there is no speed to compare with: the first step failed');
      return slowReceiver(file, Math.min(size, SLOW_SIZE), bytes / seconds, progress);
    },
  },
  {
    name: 'chat of three',
    shows: 'Three clients chat, line by line',
    source: 'examples/tour/chat.ts',
    run: () => chat(),
  },
  {
    name: 'half-close',
    shows: 'A client asks and half-closes; the answer comes later',
    source: 'examples/tour/half-close.ts',
    run: () => halfClose(),
  },
  {
    name: 'port forwarder',
    shows: 'The chat and the half-close again, through a port forwarder',
    source: 'examples/tour/forwarder.ts',
    run: () => throughForwarder(),
  },
  {
    name: 'TLS',
    shows: 'TLS: half-close, a certificate that is refused, a cut that is detected',
    source: 'examples/tour/tls.ts',
    run: () => overTls(),
  },
  {
    name: 'UNIX socket',
    shows: 'A UNIX socket: a path that only this user may open',
    source: 'examples/tour/unix.ts',
    run: () => overUnix(),
  },
  {
    name: 'UDP',
    shows: 'UDP: questions that get lost, and replies that are forged',
    source: 'examples/tour/udp.ts',
    run: () => overUdp(),
  },
];

screen.title('rxsock: every socket is an Observable of events and an Observer for writes');
screen.note(`Node ${process.versions.node}, client and server in one process, on 127.0.0.1`);
const inspector = options.inspect ? await inspect() : undefined;
if (inspector) screen.note(`The inspector shows their sockets: ${inspector.url}`);
const code = await runTour(steps, screen, 120_000 * Math.max(1, size / (256 * MIB)));
process.exitCode = code;
isComplete = true;
if (inspector) {
  screen.title('20 sensors send lines, and one of their pipelines hangs. Find out why:');
  screen.note(`${inspector.url}\nCtrl-C ends this.`);
  await lastValueFrom(sensors());
}
// After success nothing keeps the process alive. A failed step may leave something open, so exit.
if (code !== 0) process.exit();
