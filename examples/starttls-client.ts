// A client that begins in plain text and goes on over TLS, as mail programs do; it sends nothing that matters before.
import { readFile } from 'node:fs/promises';
import { connect, on, type Reader, reader } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { Command } from 'commander';
import { fail, port, untilCtrlC } from './cli.js';

const program = new Command('starttls-client')
  .description('Asks a mail server what it can do, in plain text and again over TLS, and prints the dialogue.')
  .argument('<host>', 'the server, by the name in its certificate')
  .argument('<port>', 'its port', port)
  .option('--ca <file>', 'the certificates to trust, in place of the usual ones')
  .addHelpText('after', '\nTry it with the starttls-server:\n  starttls-client --ca ca.pem localhost <port>')
  .parse();
const [host, serverPort] = program.processedArgs as [string, number];
const { ca } = program.opts<{ ca?: string }>();

const signal = untilCtrlC();

/** Sends a command, if there is one to send, and reads the reply, of which all lines but the last have a hyphen. */
async function ask(replies: Reader, command?: string): Promise<string[]> {
  if (command !== undefined) {
    await replies.socket.write(`${command}\r\n`);
    console.log(`> ${command}`);
  }
  const lines: string[] = [];
  do {
    const line = await replies.readLine();
    if (line === undefined) throw new Error('The server ended the connection in the middle of the dialogue');
    console.log(`< ${line}`);
    lines.push(line);
  } while (!/^\d{3}(?!-)/.test(lines.at(-1) ?? ''));
  if (!lines.at(-1)?.startsWith('2')) throw new Error(`The server refuses: ${lines.at(-1)}`);
  return lines;
}

async function main(): Promise<void> {
  const trusted = ca === undefined ? {} : { ca: await readFile(ca) };
  await using plain = connect({ host, port: serverPort, signal });
  const limits = { timeout: 10_000, maxLength: 512 };
  using inTheClear = reader(plain, limits);
  await ask(inTheClear);
  const offers = await ask(inTheClear, 'EHLO localhost');
  if (!offers.some((line) => /^250[ -]STARTTLS$/i.test(line))) throw new Error('The server does not offer STARTTLS');
  await ask(inTheClear, 'STARTTLS');

  await using secure = upgrade(inTheClear, { servername: host, signal, ...trusted });
  secure.pipe(on('secureConnect')).subscribe(({ protocol, cipher }) => console.log(`* ${protocol}, ${cipher}`));
  using replies = reader(secure, limits);
  await ask(replies, 'EHLO localhost');
  await ask(replies, 'QUIT');
}

main().catch(fail);
