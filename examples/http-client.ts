// An HTTP/1.0 request by hand, GET or HEAD: prints the status line and the body.
import { connect, through } from '@rxsock/core';
import { Command } from 'commander';
import { map, of, toArray } from 'rxjs';
import { fail, port, untilCtrlC } from './cli.js';

const program = new Command('http-client')
  .description('Asks an HTTP server for a page. The status line goes to standard error, the body to standard output.')
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', port)
  .argument('[path]', 'what to ask for', '/')
  .option('--head', 'ask for the head alone')
  .addHelpText('after', '\nTry it:\n  http-client example.com 80')
  .parse();
const [host, serverPort, path] = program.processedArgs as [string, number, string];
const method = program.opts<{ head?: true }>().head ? 'HEAD' : 'GET';

function parse(response: Buffer): { status: string; body: Buffer } {
  const end = response.indexOf('\r\n\r\n');
  const head = response.toString('latin1', 0, Math.max(0, end));
  if (!head.startsWith('HTTP/')) throw new Error('The answer is not HTTP');
  const body = response.subarray(end + 4);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? body.length);
  if (method === 'GET' && body.length < length) throw new Error(`Only ${body.length} of ${length} bytes have come`);
  return { status: head.slice(0, head.indexOf('\r\n')), body };
}

// The server ends the connection after its answer. `end: false`, because many HTTP servers take a half-close right after
// the request for a client that has gone, and do not answer.
of(`${method} ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n`)
  .pipe(
    through(connect({ host, port: serverPort, idleTimeout: 30_000, signal: untilCtrlC() }), { end: false }),
    toArray(),
    map((chunks) => parse(Buffer.concat(chunks))),
  )
  .subscribe({
    next: ({ status, body }) => {
      console.error(status);
      process.stdout.write(body);
    },
    error: fail,
  });
