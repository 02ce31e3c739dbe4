// Peers that are not Node, for what Node hides: they run with the perl of any machine.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A running peer. */
export interface Peer {
  /** The next line it prints. */
  line(): Promise<string>;
  /** Gives it the line on its input that it waits for. */
  go(): void;
  /** Its exit code, when it has ended. */
  readonly exited: Promise<number | null>;
  kill(): void;
}

/** Runs one of the scripts here. */
export function startPeer(script: 'send.pl' | 'reply.pl' | 'sink.pl', ...args: (string | number)[]): Peer {
  const child = spawn('perl', [new URL(script, import.meta.url).pathname, ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    line: async () => (await lines.next()).value,
    go: () => void child.stdin.write('\n'),
    exited: new Promise((resolve, reject) => child.once('error', reject).once('close', resolve)),
    kill: () => void child.kill(),
  };
}
