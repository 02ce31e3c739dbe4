// Programs of other people, and what they cost. The costs are read from /proc, so they need Linux.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import net from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Daemons are in folders that the PATH of an ordinary user may not have. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Returns the path of a program, or `undefined` if it is not installed. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts a program, and waits until it prints a line that matches. */
export async function startUntil(command: string, args: readonly unknown[], ready: RegExp): Promise<ChildProcess> {
  const program = spawn(findProgram(command) ?? command, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(program, 'spawn');
  return new Promise((resolve, reject) => {
    const read = (line: string) => void (ready.test(line) && resolve(program));
    for (const stream of [program.stdout, program.stderr]) createInterface(stream).on('line', read);
    program.once('exit', (code) => reject(new Error(`${command} ended with code ${code}`)));
  });
}

export async function stop(program: ChildProcess): Promise<void> {
  const exit = once(program, 'exit');
  program.kill('SIGTERM');
  await exit;
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

/** The processes that a process has started and that have not ended. */
export function childrenOf(pid: number | undefined): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** The CPU time that a process and its children have used, in seconds. The children that have ended are included. */
export function cpuOf(pid: number | undefined): number {
  return [pid, ...childrenOf(pid)].reduce<number>((sum, each) => {
    // The name of the program, in parentheses, may contain spaces. The system counts hundredths of a second.
    const fields = readFileSync(`/proc/${each}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
    return sum + [11, 12, 13, 14].reduce((ticks, index) => ticks + Number(fields[index]), 0) / 100;
  }, 0);
}

/** The most memory that a process has had, in bytes. */
export function peakMemoryOf(pid: number | undefined): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
