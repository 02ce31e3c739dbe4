// A PostgreSQL client for the terminal: streams rows, cancels what nobody waits for, and outlives restarts of the server.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { flowFrom, lines, mapWithBackpressure, type ReconnectEvent, toAsyncIterable } from '@rxsock/core';
import { finalize, merge, take, tap } from 'rxjs';
import { fail, messageOf, untilCtrlC } from '../cli.js';
import { commandLine, parseCount, parseMilliseconds, parsePort } from '../kit/command-line.js';
import type { ClientMessage, ServerMessage } from './codecs/postgres.js';
import { postgres } from './lib/postgres.js';

const program = commandLine(
  'postgres-client',
  'Runs its input as queries, one a line, and prints the rows. The password is in PGPASSWORD.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .option('--user <name>', 'the user', 'postgres')
  .option('--database <name>', 'the database', 'postgres')
  .option('--take <rows>', 'cancels a query after so many rows', parseCount)
  .option('--pause <ms>', 'waits after each row, in milliseconds: the server waits too', parseMilliseconds, 0)
  .addHelpText(
    'after',
    "\nTry it:\n  echo 'select generate_series(1, 1000000)' | postgres-client localhost 5432 --take 3",
  )
  .parse();
const [host, port] = program.processedArgs as [string, number];
const { user, database, take: most = Number.POSITIVE_INFINITY, pause } = program.opts();

const password = process.env.PGPASSWORD ?? '';
const client = postgres({ host, port, user, database, password, signal: untilCtrlC() });

function report(event: ReconnectEvent): void {
  if (event.type === 'connect') console.error('* logged in');
  if (event.type === 'disconnect') console.error(`* ${event.error?.message ?? 'the server ended the connection'}`);
}

// An error of the server ends the query, not the client.
async function run(sql: string): Promise<void> {
  try {
    for await (const row of toAsyncIterable(client.query(sql).pipe(take(most)), { highWaterMark: 100 })) {
      if (!process.stdout.write(`${row.map((text) => text ?? 'NULL').join('\t')}\n`))
        await once(process.stdout, 'drain');
      if (pause > 0) await sleep(pause);
    }
  } catch (error) {
    fail(new Error(`${sql}: ${messageOf(error)}`));
  }
}

function print(message: ServerMessage | ClientMessage): void {
  if (message.type === 'notice' || message.type === 'error') console.error(`${message.fields.S}: ${message.fields.M}`);
}

const input = flowFrom<Buffer>(process.stdin).pipe(
  lines(),
  mapWithBackpressure(run),
  finalize(() => client.close()),
);
merge(input, client.events.pipe(tap(report)), client.notices.pipe(tap(print))).subscribe({ error: fail });
