// Asks SpamAssassin about a message: the request ends with a half-close, and only then does the answer come.
import { connect, flowFrom, through } from '@rxsock/core';
import { Argument, Command } from 'commander';
import { concat, map, of, toArray } from 'rxjs';
import { fail, port, untilCtrlC } from './cli.js';

const program = new Command('spamd-client')
  .description(
    'Sends a message from standard input to spamd. Its verdict goes to standard error, the rest to standard output.',
  )
  .addArgument(new Argument('<command>', 'what to ask for').choices(['CHECK', 'REPORT', 'SYMBOLS', 'PROCESS']))
  .argument('<host>', 'where spamd runs')
  .argument('[port]', 'and its port', port, 783)
  .addHelpText('after', '\nTry it:\n  spamd-client REPORT 127.0.0.1 < message.eml')
  .parse();
const [command, host, serverPort] = program.processedArgs as [string, string, number];

interface Answer {
  readonly verdict: string;
  readonly body: Buffer;
}

function parse(answer: Buffer): Answer {
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.toString('latin1', 0, end < 0 ? answer.length : end);
  const [, code, reason] = /^SPAMD\/\d+\.\d+ (\d+) (.*)/.exec(head) ?? [];
  if (code === undefined) throw new Error('The answer is not that of a spamd');
  if (code !== '0') throw new Error(`spamd refuses: ${reason}`);
  const [, length] = /^content-length: *(\d+)/im.exec(head) ?? [];
  const body = answer.subarray(end < 0 ? answer.length : end + 4);
  if (body.length < Number(length ?? 0)) throw new Error(`Only ${body.length} of ${length} bytes have come`);
  return { verdict: /^Spam: .*/m.exec(head)?.[0] ?? 'spamd gives no verdict', body };
}

const socket = connect({ host, port: serverPort, idleTimeout: 60_000, signal: untilCtrlC() });
const message = flowFrom<Buffer>(process.stdin);

// Nothing says how long the message is: its end is our FIN. A client library without half-close cannot do this.
concat(of(`${command} SPAMC/1.5\r\n\r\n`), message)
  .pipe(
    through(socket),
    toArray(),
    map((chunks) => parse(Buffer.concat(chunks))),
  )
  .subscribe({
    next: ({ verdict, body }) => {
      console.error(verdict);
      process.stdout.write(body);
    },
    error: fail,
  });
