// Records what piles up in a process whose peer sends faster than it can use, with backpressure and without.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import type { Report } from './consumer.js';

/** What the peer sends, in bytes, and how often, in milliseconds: as long as it need not wait for `drain`. */
const PIECE = 500_000;
const INTERVAL = 10;

export interface Sample extends Report {
  readonly operator: string;
}

/** Runs both, one after the other. */
export async function recordPileUp(seconds: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const operator of ['concatMap', 'mapWithBackpressure']) samples.push(...(await record(operator, seconds)));
  return samples;
}

async function record(operator: string, seconds: number): Promise<readonly Sample[]> {
  const server = net.createServer(blast).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const child = fork(new URL('./consumer.js', import.meta.url), [operator, String(port)], { execArgv: [] });
  const samples: Sample[] = [];
  child.on('message', (report: Report) => {
    samples.push({ operator, ...report });
    if (report.seconds >= seconds) child.kill();
  });
  await once(child, 'exit');
  server.close();
  if ((samples.at(-1)?.seconds ?? 0) < seconds) throw new Error(`The process with ${operator} ended too early`);
  return samples;
}

function blast(socket: net.Socket): void {
  const piece = Buffer.alloc(PIECE);
  const timer = setInterval(() => socket.writableNeedDrain || socket.write(piece), INTERVAL);
  socket.on('error', () => {}).on('close', () => clearInterval(timer));
}
