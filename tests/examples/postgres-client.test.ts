// The PostgreSQL client with a real server: streams, cancels, errors, and restarts.
import { fileURLToPath } from 'node:url';
import { mapWithBackpressure } from '@rxsock/core';
import { faultyProxy } from '@rxsock/core/testing';
import { lastValueFrom, NEVER, type Observable, take, toArray } from 'rxjs';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { PostgresError } from '../../examples/clients/codecs/postgres-login.js';
import { postgres } from '../../examples/clients/lib/postgres.js';
import type { Listening } from '../support/listening-programs.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import { makeDatabase, password, restartPostgres, startPostgres, stopPostgres } from '../support/postgres.js';
import { Program } from '../support/program.js';
import { record } from '../support/record.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { exampleWith } from './support.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Listening;
let running: Program;
beforeAllWithPrograms(async () => {
  folder = await temporaryFolder();
  await makeDatabase(folder.path);
  server = await startPostgres(folder.path);
  running = server.program;
}, 60_000);
afterAll(async () => {
  if (running) await stopPostgres(running, 'SIGINT');
  await folder[Symbol.asyncDispose]();
});

/** A client that is closed when the test is over. */
function client(port = server.port) {
  const opened = postgres({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', password });
  onTestFinished(() => opened.close());
  return opened;
}

/** Runs the example with an input. */
const run = (input: string, env = { PGPASSWORD: password }, ...options: string[]) =>
  exampleWith({ input, env }, 'postgres-client', '127.0.0.1', server.port, ...options);

const rowsOf = (rows: Observable<readonly (string | null)[]>) => lastValueFrom(rows.pipe(toArray()));
const BACKEND = 'select pg_backend_pid()';
const MILLION = 'select generate_series(1, 1000000)';

describe('the program', () => {
  test('prints rows, errors and notices, and goes on after an error', async () => {
    await using program = run(
      [
        "select 1, null, 'ü'",
        'select nonsense',
        '',
        "do $$ begin raise notice 'hello'; end $$",
        'select 2; select 3',
      ].join('\n'),
    );

    expect(await program.exited).toBe(1);
    expect(program.stdout).toBe('1\tNULL\tü\n2\n3\n');
    expect(program.stderr).toBe(
      '* logged in\nselect nonsense: column "nonsense" does not exist\nNOTICE: hello\n* the server ended the connection\n',
    );
  });

  test('does not come again with a password that the server has refused', async () => {
    await using program = run('select 1', { PGPASSWORD: 'wrong' });

    expect(await program.exited).toBe(1);
    expect(program.stderr).toMatch(/^(.*password authentication failed for user "postgres"\n)+$/);
    expect(running.stderr.match(/password authentication failed/g)).toHaveLength(1);
  });

  test('--take cancels a query in the middle, and the next one has the same connection', async () => {
    await using program = run(`${MILLION}\nselect 'next'`, undefined, '--take', '1000');

    expect(await program.exited).toBe(0);
    expect(program.stdout.trimEnd().split('\n')).toEqual([
      ...Array.from({ length: 1000 }, (_, i) => `${i + 1}`),
      'next',
    ]);
    expect(program.stderr.match(/logged in/g)).toHaveLength(1);
    await running.printed(/canceling statement due to user request/, 'stderr');
  });
});

describe('a query', () => {
  test('of a million rows needs little memory, however slow its consumer is', async () => {
    const script = fileURLToPath(new URL('million-rows.mjs', import.meta.url));
    await using counting = new Program(process.execPath, [script, `${server.port}`, password]);

    expect(await counting.exited).toBe(0);
    const { rows, bytes } = JSON.parse(counting.stdout);
    expect(rows).toBe(1_000_000);
    // All rows together need more than 260 MB.
    expect(bytes).toBeLessThan(130e6);
  }, 60_000);

  test('whose consumer stands still keeps the server waiting', async () => {
    const standing = client()
      .query(MILLION)
      .pipe(mapWithBackpressure(() => NEVER))
      .subscribe();
    onTestFinished(() => standing.unsubscribe());
    const { query } = client();
    const waiting = "select wait_event from pg_stat_activity where query like 'select generate_series%'";

    await expect.poll(() => rowsOf(query(waiting))).toEqual([['ClientWrite']]);
  });

  test('that is left is cancelled, and the next one can begin at once', async () => {
    const { query } = client();
    const backend = await rowsOf(query(BACKEND));
    const sleeping = query('select 1, pg_sleep(100)').subscribe();
    const active = "select state from pg_stat_activity where query like 'select 1, pg_sleep%'";
    await expect.poll(() => rowsOf(client().query(active))).toEqual([['active']]);
    sleeping.unsubscribe();

    expect(await rowsOf(query(BACKEND))).toEqual(backend);
  });

  test('that is left never has the next one cancelled', async () => {
    const { query } = client();
    for (let n = 1; n <= 50; n++) {
      await rowsOf(query('select generate_series(1, 10)').pipe(take((n % 10) + 1)));
      expect(await rowsOf(query(`select ${n}, pg_sleep(0.001)`))).toEqual([[`${n}`, '']]);
    }
  });

  test('that is left before its turn is never sent', async () => {
    const { query } = client();
    const first = record(query("select 'first', pg_sleep(0.1)"));
    const second = record(query('create table never (n int)'));
    second.subscription.unsubscribe();

    expect(await rowsOf(query("select to_regclass('never')"))).toEqual([[null]]);
    expect(first.values).toEqual([['first', '']]);
  });

  test('fails alone, after the rows before its error', async () => {
    const { query } = client();
    const failing = record(query('select 1 / (3 - n) from generate_series(1, 5) n'));
    const next = rowsOf(query('select 1'));

    expect((await failing.ended).error).toBeInstanceOf(PostgresError);
    expect((await failing.ended).error).toMatchObject({ code: '22012', message: 'division by zero' });
    expect(failing.values).toEqual([['0'], ['1']]);
    expect(await next).toEqual([['1']]);
  });

  test('has its own answer among a thousand that wait', async () => {
    const { query } = client();
    const numbers = Array.from({ length: 1_000 }, (_, n) => `${n}`);

    const answers = await Promise.all(numbers.map((n) => rowsOf(query(`select ${n}`))));
    expect(answers).toEqual(numbers.map((n) => [[n]]));
  });

  test('has its answer though the network cuts the login and the answer into single bytes', async () => {
    await using network = await faultyProxy({ target: server, slicer: { averageSize: 1 } });
    const { query } = client(network.port);

    expect(await rowsOf(query("select n, null, 'ü' from generate_series(1, 3) n"))).toEqual([
      ['1', null, 'ü'],
      ['2', null, 'ü'],
      ['3', null, 'ü'],
    ]);
  });
});

describe('when the connection is lost', () => {
  test('a query that the server has done fails, and is not sent again', async () => {
    const { query } = client();
    await rowsOf(query('drop table if exists once; create table once (n int)'));
    const done = 'begin; insert into once values (1); commit; select pg_terminate_backend(pg_backend_pid())';

    await expect(rowsOf(query(done))).rejects.toMatchObject({ code: '57P01' });
    expect(await rowsOf(query('select * from once'))).toEqual([['1']]);
  });

  test('three restarts of the server lead to no wrong and no doubled answer', async () => {
    const { query } = client();
    await rowsOf(query('drop table if exists done; create table done (n int)'));
    const answers = new Map<number, readonly (readonly (string | null)[])[]>();
    const failures = new Map<number, unknown>();
    let asked = 0;
    let stopping = false;
    const ask = async () => {
      while (!stopping) {
        const n = ++asked;
        const insert = query(`insert into done select ${n} from pg_sleep(0.01) returning n`);
        await rowsOf(insert).then(
          (rows) => answers.set(n, rows),
          (error) => failures.set(n, error),
        );
      }
    };
    const answered = (count: number) => expect.poll(() => answers.size).toBeGreaterThan(count);
    const asking = [ask(), ask(), ask(), ask()];
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGINT'] as const) {
      await answered(answers.size + 20);
      await stopPostgres(running, signal);
      running = await restartPostgres(folder.path, server.port);
    }
    await answered(answers.size + 20);
    stopping = true;
    await Promise.all(asking);

    const done = (await rowsOf(query('select n from done'))).map(([n]) => Number(n));
    expect(new Set(done).size).toBe(done.length);
    for (const [n, rows] of answers) expect(rows).toEqual([[`${n}`]]);
    // What was answered was done. What has failed may have been done.
    expect([...answers.keys()].filter((n) => !done.includes(n))).toEqual([]);
    expect(done.filter((n) => !answers.has(n) && !failures.has(n))).toEqual([]);
    expect(answers.size + failures.size).toBe(asked);
    expect(failures.size).toBeGreaterThan(0);
    const codes = [...failures.values()].map((error) => (error as { code?: string }).code);
    expect(codes.filter((code) => !/^(57P0[12]|ECONNRESET|ERR_STREAM_PREMATURE_CLOSE)$/.test(`${code}`))).toEqual([]);
  });
});
