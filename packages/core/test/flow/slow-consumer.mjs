// Run it by hand after a build: `node packages/core/test/flow/slow-consumer.mjs [values a second] [seconds]`. A client
// offers 200 MiB to a server that takes 100 lines of 100 bytes a second. Prints the status of both once a second.
import { setTimeout as wait } from 'node:timers/promises';
import { MEBIBYTE, offer, startServer } from './offer.mjs';

const [rate = 100, seconds = 10] = process.argv.slice(2).map(Number);
const server = await startServer(rate);
const client = await offer(server.start.port, 200 * MEBIBYTE);
const mebibytes = (bytes) => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
for (let second = 1; second <= seconds; second++) {
  await wait(1000);
  const { taken, bytesRead, resident, holds } = await server.take(0);
  console.log(
    `${second} s: ${taken} lines taken, ${mebibytes(bytesRead)} read, ${mebibytes(client.sent)} sent,`,
    `server grew by ${mebibytes(resident - server.start.resident)} to ${mebibytes(resident)},`,
    `${client.stalled ? 'client waits' : 'client writes'}, held by: ${holds.join(', ') || 'nobody'}`,
  );
}
client.stop();
await server.stop();
