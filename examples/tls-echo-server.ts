// An echo server over TLS, with a certificate made on the spot: who has the file that it writes can trust it.
import { writeFile } from 'node:fs/promises';
import { data, serve } from '@rxsock/core';
import { listen } from '@rxsock/tls';
import * as cli from './cli.js';
import { localCertificate } from './kit/certificate.js';

interface Options extends cli.ServerOptions {
  readonly ca?: string;
}

const { host, port, drain, ca } = cli
  .serverCommand('tls-echo-server', 'Sends back whatever a client sends, over TLS, as localhost or 127.0.0.1.')
  .option('--ca <file>', 'where to write the certificate that clients have to trust')
  .addHelpText(
    'after',
    '\nTry it with --ca ca.pem, and then:\n  openssl s_client -CAfile ca.pem -connect 127.0.0.1:<port>',
  )
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  const { key, cert } = await localCertificate();
  if (ca !== undefined) await writeFile(ca, cert);
  // The same as over TCP. Who does not get through the handshake is dropped, and told of in a line.
  const server = listen({ host, port, key, cert });
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe({ next: cli.printEvent, error: cli.fail });
  cli.onCtrlC(() => server.close({ drain }));
}

main().catch(cli.fail);
