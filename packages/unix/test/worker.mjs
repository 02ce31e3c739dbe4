// A server in a worker thread. It runs the build.
import { parentPort, workerData } from 'node:worker_threads';
import { serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';
import { of } from 'rxjs';

const server = listen({ path: workerData, mode: 0o640 });
server.pipe(serve(() => of('from a worker'))).subscribe(({ type }) => {
  if (type === 'listening') parentPort.postMessage(type);
});
parentPort.once('message', () => server.close());
