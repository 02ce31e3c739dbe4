// Peers that are not Node programs, for what Node hides. They run with the perl of any machine.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { needProgram } from '../need-program.js';

/** A running peer. */
export interface Peer {
  /** The next line that it prints. */
  line(): Promise<string>;
  /** Sends a line to its standard input. */
  go(line?: string): void;
  /** Its exit code, when it has ended. */
  readonly exited: Promise<number | null>;
  kill(): void;
}

/** Runs one of the scripts here. */
export function startPeer(
  script: 'send.pl' | 'reply.pl' | 'sink.pl' | 'read.pl' | 'listen.pl' | 'deaf.pl',
  ...args: (string | number)[]
): Peer {
  needProgram('perl');
  const child = spawn('perl', [new URL(script, import.meta.url).pathname, ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => (await lines.next()).value,
    go: (line = '') => void child.stdin.write(`${line}\n`),
    exited: new Promise((resolve, reject) => child.once('error', reject).once('close', resolve)),
    kill: () => void child.kill(),
  };
}
