// A server that accepts nothing, because its event loop is blocked.
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const server = net.createServer();
server.listen({ path: workerData, backlog: 1 });
parentPort.postMessage(server.listening);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
