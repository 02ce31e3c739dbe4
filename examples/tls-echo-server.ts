// An echo server over TLS: it creates its own certificate, and writes it to a file that clients can trust.
import { writeFile } from 'node:fs/promises';
import { data, serve } from '@rxsock/core';
import { listen } from '@rxsock/tls';
import { fail, onCtrlC, printEvent } from './cli.js';
import { localCertificate } from './kit/certificate.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

interface Options extends ServerOptions {
  readonly ca?: string;
}

const { host, port, drain, ca } = serverCommandLine(
  'tls-echo-server',
  'Sends back what each client sends, over TLS. Its certificate is for localhost and 127.0.0.1.',
)
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
  // From here on the same as over TCP. A client whose handshake fails is a `drop` event, which prints one line.
  const server = listen({ host, port, key, cert });
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe({ next: printEvent, error: fail });
  onCtrlC(() => server.close({ drain }));
}

main().catch(fail);
