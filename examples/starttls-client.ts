// A client that starts in plain text and upgrades to TLS, like mail programs; it sends nothing secret before that.
import { readFile } from 'node:fs/promises';
import { connect, on, type Reader, reader } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { fail, printable, untilCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine(
  'starttls-client',
  'Asks a mail server for its capabilities, first in plain text and then over TLS. Prints the dialogue.',
)
  .argument('<host>', 'the server, by the name in its certificate')
  .argument('<port>', 'its port', parsePort)
  .option('--ca <file>', 'the certificates to trust instead of the default ones')
  .addHelpText('after', '\nTry it with the starttls-server:\n  starttls-client --ca ca.pem localhost <port>')
  .parse();
const [host, port] = program.processedArgs as [string, number];
const { ca } = program.opts<{ ca?: string }>();

const signal = untilCtrlC();

/** Sends a command. Returns the lines of the reply. */
async function ask(replies: Reader, command: string): Promise<string[]> {
  await replies.socket.write(`${command}\r\n`);
  console.log(`> ${command}`);
  return readReply(replies);
}

/** Reads a reply: every line but the last has a hyphen after its code. Throws if the code is not a success. */
async function readReply(replies: Reader): Promise<string[]> {
  const lines: string[] = [];
  do {
    const line = await replies.readLine();
    if (line === undefined) throw new Error('The server ended the connection in the middle of the dialogue');
    console.log(`< ${printable(line)}`);
    lines.push(line);
  } while (!/^\d{3}(?!-)/.test(lines.at(-1) ?? ''));
  if (!lines.at(-1)?.startsWith('2')) throw new Error(`The server refused: ${lines.at(-1)}`);
  return lines;
}

async function main(): Promise<void> {
  const trusted = ca === undefined ? {} : { ca: await readFile(ca) };
  const limits = { timeout: 10_000, maxLength: 512 };
  await using plain = connect({ host, port, signal });
  using plainReplies = reader(plain, limits);
  await readReply(plainReplies);
  const capabilities = await ask(plainReplies, 'EHLO localhost');
  if (!capabilities.some((line) => /^250[ -]STARTTLS$/i.test(line))) {
    throw new Error('The server does not offer STARTTLS');
  }
  await ask(plainReplies, 'STARTTLS');

  // Throws if the reader has bytes left: they arrived in plain text, maybe from an attacker.
  await using secure = upgrade(plainReplies, { servername: host, signal, ...trusted });
  using replies = reader(secure, limits);
  const { protocol, cipher } = await firstValueFrom(secure.pipe(on('secureConnect')));
  console.log(`* ${protocol}, ${cipher}`);
  await ask(replies, 'EHLO localhost');
  await ask(replies, 'QUIT');
}

main().catch(fail);
