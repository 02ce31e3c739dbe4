// Asks SpamAssassin about a message: the client half-closes after the message, and only then does spamd answer.
import { connect, flowFrom, through } from '@rxsock/core';
import { Argument } from 'commander';
import { concat, map, of, toArray } from 'rxjs';
import { fail, untilCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine(
  'spamd-client',
  'Sends standard input to spamd. Prints the verdict to standard error, the rest to standard output.',
)
  .addArgument(new Argument('<command>', 'what to ask for').choices(['CHECK', 'REPORT', 'SYMBOLS', 'PROCESS']))
  .argument('<host>', 'where spamd runs')
  .argument('[port]', 'its port', parsePort, 783)
  .addHelpText('after', '\nTry it:\n  spamd-client REPORT 127.0.0.1 < message.eml')
  .parse();
const [command, host, port] = program.processedArgs as [string, string, number];

interface Answer {
  readonly verdict: string;
  readonly body: Buffer;
}

function parse(answer: Buffer): Answer {
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.toString('latin1', 0, end < 0 ? answer.length : end);
  const [, code, reason] = /^SPAMD\/\d+\.\d+ (\d+) (.*)/.exec(head) ?? [];
  if (code === undefined) throw new Error('The answer is not from spamd');
  if (code !== '0') throw new Error(`spamd rejected the request: ${reason}`);
  const [, length] = /^content-length: *(\d+)/im.exec(head) ?? [];
  const body = answer.subarray(end < 0 ? answer.length : end + 4);
  if (body.length < Number(length ?? 0)) throw new Error(`Received only ${body.length} of ${length} bytes`);
  return { verdict: /^Spam: .*/m.exec(head)?.[0] ?? 'spamd gave no verdict', body };
}

const socket = connect({ host, port, idleTimeout: 60_000, signal: untilCtrlC() });
const message = flowFrom<Buffer>(process.stdin);

// The request does not say how long the message is: our FIN marks its end. This needs half-close, because the answer
// comes after that FIN.
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
