// A server that begins in plain text and goes on over TLS when the client says STARTTLS, as mail servers do.
import { writeFile } from 'node:fs/promises';
import { connections, listen, reader, type Socket } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { mergeMap, tap } from 'rxjs';
import * as cli from './cli.js';
import { type Certificate, localCertificate } from './kit/certificate.js';

interface Options extends cli.ServerOptions {
  readonly ca?: string;
}

const { host, port, drain, ca } = cli
  .serverCommand('starttls-server', 'Knows EHLO, NOOP, QUIT and STARTTLS of SMTP, and takes no mail.')
  .option('--ca <file>', 'where to write the certificate that clients have to trust')
  .addHelpText(
    'after',
    '\nTry it with --ca ca.pem, and then:\n  openssl s_client -starttls smtp -connect 127.0.0.1:<port>',
  )
  .parse()
  .opts<Options>();

/** The dialogue with one client, to its QUIT or its end. */
async function converse(client: Socket, identity: Certificate, secure = false): Promise<void> {
  await using socket = client;
  using commands = reader(socket, { timeout: 60_000, maxLength: 512 });
  const say = (reply: string) => socket.write(`${reply}\r\n`);
  if (!secure) await say('220 localhost ready');
  for (let line = await commands.readLine(); line !== undefined; line = await commands.readLine()) {
    const verb = /^\w*/.exec(line)?.[0].toUpperCase();
    if (verb === 'EHLO') await say(secure ? '250 localhost' : '250-localhost\r\n250 STARTTLS');
    else if (verb === 'NOOP') await say('250 OK');
    else if (verb === 'QUIT') return void (await say('221 Bye'));
    else if (verb === 'STARTTLS' && !secure) {
      await say('220 Go ahead');
      // What has come behind that line came in the clear, maybe from somebody in between: with bytes left over this throws.
      return converse(upgrade(commands, { isServer: true, ...identity }), identity, true);
    } else await say('502 Not implemented');
  }
}

async function main(): Promise<void> {
  const identity = await localCertificate();
  if (ca !== undefined) await writeFile(ca, identity.cert);
  const server = listen({ host, port });
  server
    .pipe(
      tap((event) => cli.printEvent(event)),
      connections(),
      mergeMap((socket) => converse(socket, identity).catch((error) => console.error(cli.message(error)))),
    )
    .subscribe({ error: cli.fail });
  cli.onCtrlC(() => server.close({ drain }));
}

main().catch(cli.fail);
