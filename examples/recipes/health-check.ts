// A server with health checks over HTTP: /live says that the process answers, /ready that it takes new clients.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { data, listen, serve } from '@rxsock/core';

const server = listen({ port: Number(process.env.PORT ?? 7000) });
let isLeaving = false;
let connections = 0;

const health = createServer((request, response) => {
  const isReady = server.readyState === 'listening' && !isLeaving;
  const isGood = request.url === '/live' || (request.url === '/ready' && isReady);
  response.writeHead(isGood ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ state: server.readyState, connections }));
});
health.listen(Number(process.env.HEALTH_PORT ?? 7001), '127.0.0.1', () => {
  console.log(`Health checks on port ${(health.address() as AddressInfo).port}`);
});

server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
  if (event.type === 'listening') console.log(`Listening on port ${event.address.port}`);
  if (event.type === 'connection') {
    connections++;
    event.socket.readyStates.subscribe({ complete: () => connections-- });
  }
});

process.once('SIGTERM', async () => {
  isLeaving = true;
  await sleep(Number(process.env.NOTICE ?? 5_000)); // the balancer sees it, and sends no new clients
  await server.close({ drain: 20_000 });
  health.close();
});
