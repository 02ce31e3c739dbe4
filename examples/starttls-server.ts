// A server that starts in plain text and upgrades to TLS when the client says STARTTLS, like mail servers.
import { writeFile } from 'node:fs/promises';
import { connections, listen, reader, type Socket } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { mergeMap, tap } from 'rxjs';
import { fail, messageOf, onCtrlC, printEvent } from './cli.js';
import { type Certificate, localCertificate } from './kit/certificate.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

interface Options extends ServerOptions {
  readonly ca?: string;
}

const { host, port, drain, ca } = serverCommandLine(
  'starttls-server',
  'Understands EHLO, NOOP, QUIT and STARTTLS of SMTP. Accepts no mail.',
)
  .option('--ca <file>', 'where to write the certificate that clients have to trust')
  .addHelpText(
    'after',
    '\nTry it with --ca ca.pem, and then:\n' +
      '  openssl s_client -CAfile ca.pem -starttls smtp -connect 127.0.0.1:<port>',
  )
  .parse()
  .opts<Options>();

/** Runs the dialogue with one client, until QUIT or the client's FIN. */
async function converse(client: Socket, certificate: Certificate, secure = false): Promise<void> {
  await using socket = client;
  using commands = reader(socket, { timeout: 60_000, maxLength: 512 });
  const reply = (text: string) => socket.write(`${text}\r\n`);
  if (!secure) await reply('220 localhost ready');
  for (let line = await commands.readLine(); line !== undefined; line = await commands.readLine()) {
    const verb = /^\w*/.exec(line)?.[0].toUpperCase();
    if (verb === 'EHLO') await reply(secure ? '250 localhost' : '250-localhost\r\n250 STARTTLS');
    else if (verb === 'NOOP') await reply('250 OK');
    else if (verb === 'QUIT') return void (await reply('221 Bye'));
    else if (verb === 'STARTTLS' && !secure) {
      await reply('220 Go ahead');
      // Throws if bytes follow the STARTTLS line: they arrived in plain text, maybe from an attacker.
      return converse(upgrade(commands, { isServer: true, ...certificate }), certificate, true);
    } else await reply('502 Not implemented');
  }
}

async function main(): Promise<void> {
  const certificate = await localCertificate();
  if (ca !== undefined) await writeFile(ca, certificate.cert);
  const server = listen({ host, port });
  server
    .pipe(
      tap((event) => printEvent(event)),
      connections(),
      mergeMap((socket) => converse(socket, certificate).catch((error) => console.error(messageOf(error)))),
    )
    .subscribe({ error: fail });
  onCtrlC(() => server.close({ drain }));
}

main().catch(fail);
