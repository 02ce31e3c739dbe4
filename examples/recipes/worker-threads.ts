// A server whose answers take much CPU time: worker threads find them, and clients wait while all threads are busy.
import { availableParallelism } from 'node:os';
import { isMainThread, threadId } from 'node:worker_threads';
import { data, lines, listen, mapWithBackpressure, serve } from '@rxsock/core';
import { Piscina } from 'piscina';

/** What a worker does. The threads load this file too. */
export default function countPrimes(line: string): string {
  const limit = Math.min(Number(line) || 0, 1_000_000);
  let count = 0;
  for (let n = 2; n <= limit; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) count++;
  }
  return `${count} primes up to ${limit}, by thread ${threadId}\n`;
}

if (isMainThread) {
  const pool = new Piscina<string, string>({ filename: import.meta.url, maxThreads: availableParallelism() });
  const server = listen({ port: Number(process.env.PORT ?? 7000) });
  const count = (line: string) => pool.run(line);

  server
    .pipe(serve((socket) => socket.pipe(data(), lines(), mapWithBackpressure(count, { concurrency: 4 }))))
    .subscribe((event) => {
      if (event.type === 'listening') console.log(`Listening on port ${event.address.port}`);
    });
  process.once('SIGTERM', async () => {
    await server.close();
    await pool.close();
  });
}
