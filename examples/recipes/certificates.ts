// A TLS server that loads renewed certificates at SIGHUP. Open connections go on.
import { readFileSync } from 'node:fs';
import { data, serve } from '@rxsock/core';
import { listen } from '@rxsock/tls';

const load = () => ({
  key: readFileSync(process.env.KEY ?? 'privkey.pem'),
  cert: readFileSync(process.env.CERT ?? 'fullchain.pem'),
});

const server = listen({ port: Number(process.env.PORT ?? 7000), ...load() });

server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
  if (event.type === 'listening') console.log(`Listening on port ${event.address.port}`);
  if (event.type === 'drop') console.error(`Refused a connection: ${event.error?.message}`);
});

process.on('SIGHUP', () => {
  try {
    server.setSecureContext(load());
    console.log('Renewed');
  } catch (error) {
    // For example a key that does not belong to the certificate. The old ones stay in use.
    console.error(`Not renewed: ${(error as Error).message}`);
  }
});
process.once('SIGTERM', () => server.close());
