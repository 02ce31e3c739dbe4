// PostgreSQL on the loopback interface, with a password. It refuses to run as root, and then runs as nobody.
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Listening, startOnFreePort } from './listening-programs.js';
import { Program, type ProgramOptions } from './program.js';

export const password = 'a secret, with é';

const nobody = 65_534;
const user: ProgramOptions = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

/** Makes an empty database in a folder. */
export async function makeDatabase(folder: string): Promise<void> {
  if (user.uid !== undefined) chownSync(folder, nobody, nobody);
  writeFileSync(join(folder, 'password'), `${password}\n`);
  const words = ['--auth=scram-sha-256', `--pwfile=${join(folder, 'password')}`, '--username=postgres'];
  await using initdb = new Program(
    'initdb',
    ['--no-sync', '--encoding=UTF8', '--no-locale', ...words, join(folder, 'data')],
    user,
  );
  if ((await initdb.exited) !== 0) throw new Error(initdb.stderr);
}

/** Starts a server on a free port. */
export function startPostgres(folder: string): Promise<Listening> {
  return startOnFreePort((port) => postgres(folder, port), /ready to accept connections/, 'stderr');
}

/** Starts a server again, on the port of one that has ended. */
export async function restartPostgres(folder: string, port: number): Promise<Program> {
  const program = postgres(folder, port);
  await program.printed(/ready to accept connections/, 'stderr');
  return program;
}

/** Stops a server: `SIGINT` ends the connections with a word. `SIGQUIT` does not, and leaves shared memory behind. */
export async function stopPostgres(program: Program, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  program.kill(signal);
  await program.exited;
}

function postgres(folder: string, port: number): Program {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'shared_buffers=16MB'];
  const words = settings.flatMap((setting) => ['-c', setting]);
  return new Program('postgres', ['-D', join(folder, 'data'), '-p', `${port}`, ...words], user);
}
