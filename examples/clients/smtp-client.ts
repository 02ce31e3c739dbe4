// A mail client: STARTTLS and a login on every connection, and mails over a pool of them.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, connectionPool, reader, type Socket, writeTo } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { finalize, from, lastValueFrom, mergeMap } from 'rxjs';
import { fail, untilCtrlC } from '../cli.js';
import { commandLine, parsePort } from '../kit/command-line.js';
import { ask, mailBytes, readReply } from './codecs/smtp.js';

const program = commandLine(
  'smtp-client',
  'Sends mails over TLS. Sends nothing at all to a server that has no STARTTLS.',
)
  .argument('<host>', 'the server, by the name in its certificate')
  .argument('<port>', 'its port', parsePort)
  .argument('<mails...>', 'files, each with the headers and the text of a mail')
  .requiredOption('--from <address>', 'the sender')
  .requiredOption('--to <addresses...>', 'the receivers')
  .option('--user <name>', 'logs in with this name; the password is in the environment variable SMTP_PASSWORD')
  .option('--ca <file>', 'the certificates to trust instead of the default ones')
  .addHelpText(
    'after',
    '\nTry it with any server:\n  smtp-client mail.example.com 587 hello.eml --from me@x.org --to you@x.org',
  )
  .parse();
const [host, port, mails] = program.processedArgs as [string, number, string[]];
const options = program.opts<{ from: string; to: string[]; user?: string; ca?: string }>();
const signal = untilCtrlC();
const limits = { timeout: 60_000, maxLength: 1_024 };

/** Greets, upgrades and logs in. The pool goes on with the socket that it returns. */
async function logIn(plain: Socket): Promise<Socket> {
  const plainReplies = reader(plain, limits);
  await readReply(plainReplies, 220);
  const offers = await ask(plainReplies, 'EHLO localhost');
  if (!offers.some((line) => /^250[ -]STARTTLS$/i.test(line))) throw new Error('The server does not offer STARTTLS');
  await ask(plainReplies, 'STARTTLS', 220);
  const ca = options.ca === undefined ? {} : { ca: await readFile(options.ca) };
  const secure = upgrade(plainReplies, { servername: host, signal, ...ca });
  using replies = reader(secure, limits);
  await ask(replies, 'EHLO localhost');
  if (options.user === undefined) return secure;
  const login = Buffer.from(`\0${options.user}\0${process.env.SMTP_PASSWORD ?? ''}`).toString('base64');
  await ask(replies, `AUTH PLAIN ${login}`, 235);
  return secure;
}

async function send(socket: Socket, mail: string): Promise<void> {
  using replies = reader(socket, limits);
  await ask(replies, `MAIL FROM:<${options.from}>`);
  for (const to of options.to) await ask(replies, `RCPT TO:<${to}>`);
  await ask(replies, 'DATA', 354);
  // If the file cannot be read to its end, this aborts the connection: then the server throws the mail away.
  await lastValueFrom(mailBytes(createReadStream(mail)).pipe(writeTo(socket, { end: false })), {
    defaultValue: undefined,
  });
  const [reply] = await ask(replies, '.');
  console.log(`${mail}: ${reply}`);
}

const pool = connectionPool(() => connect({ host, port, signal }), { setup: logIn, setupTimeout: 60_000, max: 2 });

from(mails)
  .pipe(
    mergeMap((mail) => pool.use((socket) => send(socket, mail))),
    finalize(() => pool.close()),
  )
  .subscribe({ error: fail });
