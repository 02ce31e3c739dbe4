// npm start: a tour of the library, every step of which proves what it shows. Exit code 0 only if all of them did.
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chat } from './chat.js';
import { throughForwarder } from './forwarder.js';
import { halfClose } from './half-close.js';
import { bytes } from './kit/format.js';
import { makeRandomFile } from './kit/random-file.js';
import { Screen } from './kit/screen.js';
import type { Step } from './kit/step.js';
import { runTour } from './kit/tour.js';
import { sendAFile } from './send-file.js';
import { slowReceiver } from './slow-receiver.js';
import { overTls } from './tls.js';
import { overUdp } from './udp.js';
import { overUnix } from './unix.js';

const HELP = `npm start [-- --size <MiB>]

Shows what rxsock does, between sockets of this process on 127.0.0.1, and proves it.
The exit code is 0 only if every check holds.

  --size <MiB>  how large the file is that is sent, 16 or more (default: 256);
                twice as much is needed in ${tmpdir()}
  --help        this`;

const MIB = 2 ** 20;
/** The slow receiver takes this much of the file, at most. */
const SLOW = 32 * MIB;

// Whatever ends this process before the last step has proved itself is a failure.
process.exitCode = 1;

const size = readSize();
const directory = mkdtempSync(join(tmpdir(), 'rxsock-tour-'));
const file = join(directory, 'random');
const screen = new Screen();

process.on('exit', () => {
  screen.endBars();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    screen.endBars();
    screen.note(`\nStopped by ${signal}: not all was proved.`);
    process.exit(128 + constants.signals[signal]);
  });
}

const steps: Step[] = [
  {
    name: 'file over TCP',
    shows: `${bytes(size)} of random bytes go over TCP, from disk to disk`,
    source: 'examples/tour/send-file.ts',
    run: async (stage) => {
      const made = stage.bar('made', size);
      await makeRandomFile(file, size, (bytes) => made.update(bytes));
      return sendAFile(file, size, stage);
    },
  },
  {
    name: 'slow receiver',
    shows: 'A slow receiver slows the sender down; nothing piles up',
    source: 'examples/tour/slow-receiver.ts',
    run: (stage, [first]) => {
      const { bytes, seconds } = first?.outcome ?? {};
      if (!bytes || !seconds) throw new Error('there is nothing to compare with: the first step failed');
      return slowReceiver(file, Math.min(size, SLOW), bytes / seconds, stage);
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
    shows: 'TLS: half-close, a certificate that is refused, a cut that is told',
    source: 'examples/tour/tls.ts',
    run: () => overTls(),
  },
  {
    name: 'UNIX socket',
    shows: 'A UNIX socket: a path, for this user alone',
    source: 'examples/tour/unix.ts',
    run: () => overUnix(),
  },
  {
    name: 'UDP',
    shows: 'UDP: questions and answers, of which some get lost and some are forged',
    source: 'examples/tour/udp.ts',
    run: () => overUdp(),
  },
];

screen.title('rxsock: every socket an Observable of events and an Observer for writes');
screen.note(`Node ${process.versions.node}, client and server in this one process, on 127.0.0.1`);
const code = await runTour(steps, screen, 120_000 * Math.max(1, size / (256 * MIB)));
// Where all is well nothing is left that would keep the process alive; a step that failed may have left something.
process.exitCode = code;
if (code !== 0) process.exit();

function readSize(): number {
  try {
    const { values } = parseArgs({ options: { size: { type: 'string', default: '256' }, help: { type: 'boolean' } } });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const size = Number(values.size);
    if (!Number.isInteger(size) || size < 16) throw new RangeError('--size must be a whole number of MiB, 16 or more');
    return size * MIB;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}
