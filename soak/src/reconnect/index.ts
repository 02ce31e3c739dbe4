// reconnect: a day in the life of a reconnecting client, in virtual time.
import { lines, reconnect as reconnectSocket } from '@rxsock/core';
import { map, VirtualAction, VirtualTimeScheduler } from 'rxjs';
import type { Findings } from '../findings.js';
import { measured } from '../measured.js';
import type { Queues } from '../queues.js';
import { Random } from '../random.js';
import type { RunOptions, Scenario } from '../scenario.js';
import { BackoffCheck } from './backoff-check.js';
import { Ledger } from './ledger.js';
import { encodeMessage } from './messages.js';
import { ComingAndGoingServer } from './server.js';

const HOURS = 24;
const HOUR = 3_600_000;
/** How often the client sends, in milliseconds. */
const MEAN_SEND = 500;
/** So that messages are also dropped when the server is away for long. */
const WRITE_BUFFER = 4_096;
const backoff = { initial: 500, factor: 2, max: 30_000, jitter: 0.5, resetAfter: 5_000 };
/** Between two turns of the event loop so much time passes, in milliseconds. */
const STEP = 60_000;
const EXPECTED = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'];

export const reconnect: Scenario = {
  name: 'reconnect',
  about: `${HOURS} hours of a reconnecting client in virtual time, with a server that comes and goes`,
  async *run(options) {
    const { random } = Math;
    // The jitter of the delays comes from here. With a seed, a run is the same every time.
    const seeded = new Random(options.seed + 1);
    Math.random = () => seeded.fraction();
    try {
      yield [await measured('client and server', (findings, queues) => live(options, findings, queues))];
    } finally {
      Math.random = random;
    }
  },
};

async function live({ scale, seed }: RunOptions, findings: Findings, queues: Queues): Promise<void> {
  const scheduler = new VirtualTimeScheduler(VirtualAction, 0);
  const passTime = async (duration: number) => {
    for (const end = scheduler.frame + duration; scheduler.frame < end; ) {
      scheduler.maxFrames = Math.min(end, scheduler.frame + STEP);
      scheduler.flush();
      scheduler.frame = scheduler.maxFrames;
      queues.look();
      await new Promise(setImmediate);
    }
  };
  const random = new Random(seed);
  const server = new ComingAndGoingServer(scheduler, random, findings);
  const backoffCheck = new BackoffCheck(backoff, findings);
  const ledger = new Ledger(findings);
  const dial = () => {
    backoffCheck.dialled(scheduler.now());
    return server.dial();
  };
  const options = {
    scheduler,
    backoff,
    maxRetries: Number.POSITIVE_INFINITY,
    maxWriteBuffer: WRITE_BUFFER,
    overflow: 'dropOldest',
  } as const;
  const client = reconnectSocket(dial, options);
  queues.watch(client);

  let openedAt: number | undefined;
  let completed = false;
  client.subscribe({
    next: (event) => {
      if (event.type === 'connect') {
        findings.count('connections');
        openedAt = scheduler.now();
      } else if (event.type === 'disconnect') {
        if (event.error) findings.error(event.error, 'connection', EXPECTED);
        ledger.ended(event.report, server.connection?.messages);
        backoffCheck.ended(openedAt === undefined ? undefined : scheduler.now() - openedAt);
        openedAt = undefined;
      } else if (event.type === 'retry') {
        findings.count('retries');
        backoffCheck.announced(event.attempt, event.delay, scheduler.now());
      } else if (event.type === 'overflow') ledger.dropped += event.bytes;
    },
    error: (error) => findings.error(error, 'client'),
    complete: () => {
      completed = true;
    },
  });
  client
    .eachConnection((bytes) => bytes.pipe(lines({ trailing: 'drop' }), numbered()))
    .subscribe({
      next: ({ line, index }) => {
        findings.count('lines');
        if (line !== `${server.connection?.number}:${index}`) findings.violation('a wrong line arrived');
      },
      error: () => {},
    });

  let number = 0;
  let sending = true;
  const send = () => {
    if (!sending) return;
    const message = encodeMessage(number++);
    ledger.sent += message.length;
    client.next(message);
    scheduler.schedule(send, random.wait(MEAN_SEND));
  };
  send();

  await passTime(HOURS * HOUR * scale);
  sending = false;
  server.stayUp();
  await passTime(HOUR);
  client.complete();
  await passTime(HOUR);
  if (!completed) findings.violation('the client has not ended after complete()');
  ledger.close();
}

/** Adds to each line how many lines of its connection came before it. */
const numbered = () => map((line: string, index: number) => ({ line, index }));
