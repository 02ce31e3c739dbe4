// A slow consumer of a million rows. Prints how many it had, and by how many bytes the memory of this process grew.
import { mapWithBackpressure } from '@rxsock/core';
import { count, lastValueFrom, timer } from 'rxjs';
import { postgres } from '../../examples/dist/clients/lib/postgres.js';

const [port, password] = process.argv.slice(2);
const client = postgres({ host: '127.0.0.1', port: Number(port), user: 'postgres', database: 'postgres', password });
/** Rows of about 110 bytes. */
const query = (rows) => client.query(`select n, repeat('x', 100) from (select generate_series(1, ${rows}) n) s`);

let expected = 0;
const slowly = mapWithBackpressure(([text]) => {
  if (text !== `${++expected}`) throw new Error(`Row ${expected} is ${text}`);
  return expected % 100_000 === 0 ? timer(50) : [text];
});
await lastValueFrom(query(10_000)); // the program is warm
const before = process.memoryUsage.rss();
const rows = await lastValueFrom(query(1_000_000).pipe(slowly, count()));
console.log(JSON.stringify({ rows, bytes: process.resourceUsage().maxRSS * 1024 - before }));
await client.close();
