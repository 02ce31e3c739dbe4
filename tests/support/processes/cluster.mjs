// A cluster of two workers that each accept two connections and echo them. The primary process passes on what they
// report, and closes the server of a worker when it is sent its number.
import cluster from 'node:cluster';
import { data, listen, serve } from '@rxsock/core';
import { handOver } from '@rxsock/core/process';

if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) {
    const worker = cluster.fork();
    worker.on('message', (message) => process.send({ worker: worker.id, ...message }));
  }
  process.on('message', (id) => cluster.workers[id].send('close'));
} else {
  const server = listen({ maxConnections: 2 });
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
    if (event.type === 'drop') process.send({ type: 'drop', reason: event.reason });
    if (event.type !== 'listening') return;
    let code;
    try {
      handOver(server, process.execPath);
    } catch (error) {
      code = error.code;
    }
    process.send({ type: 'listening', port: event.address.port, fd: server.fd, handOver: code });
  });
  process.on('message', async () => {
    await server.close({ drain: 0 });
    process.send({ type: 'closed' });
  });
}
