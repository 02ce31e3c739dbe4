// Runs Redis.
import { type Listening, startOnFreePort } from './listening-programs.js';
import { Program } from './program.js';

/** A Redis server without files. @param flags More of its options. */
export function startRedis(folder: string, ...flags: string[]): Promise<Listening> {
  return startOnFreePort((port) => redis(folder, port, flags), READY, 'stdout');
}

/** Starts a Redis server again on its port. */
export async function restartRedis(folder: string, port: number, ...flags: string[]): Promise<Program> {
  const program = redis(folder, port, flags);
  await program.printed(READY);
  return program;
}

// "at" the UNIX socket, which comes last, if there is one.
const READY = /ready to accept connections/i;

function redis(folder: string, port: number, flags: readonly string[]): Program {
  const own = ['--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  return new Program('redis-server', ['--port', `${port}`, ...own, ...flags]);
}
