// A GET or HEAD request of HTTP/1.0, written by hand: prints the status line and the body.
import { connect, through } from '@rxsock/core';
import { map, of, toArray } from 'rxjs';
import { fail, printable, untilCtrlC } from './cli.js';
import { commandLine, parsePort, parseText } from './kit/command-line.js';

const program = commandLine(
  'http-client',
  'Requests a page. Prints the status line to standard error and the body to standard output.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .argument('[path]', 'the page', parseText(/^\/[!-~]*$/, 'a path, such as /index.html'), '/')
  .option('--head', 'request only the head')
  .addHelpText('after', '\nTry it:\n  http-client example.com 80')
  .parse();
const [host, port, path] = program.processedArgs as [string, number, string];
const method = program.opts<{ head?: true }>().head ? 'HEAD' : 'GET';

function parse(response: Buffer): { status: string; body: Buffer } {
  const end = response.indexOf('\r\n\r\n');
  const head = response.toString('latin1', 0, Math.max(0, end));
  if (!head.startsWith('HTTP/')) throw new Error('The response is not HTTP');
  const body = response.subarray(end + 4);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? body.length);
  if (method === 'GET' && body.length < length) throw new Error(`Received only ${body.length} of ${length} bytes`);
  return { status: head.split('\r\n', 1)[0] ?? '', body };
}

const socket = connect({ host, port, idleTimeout: 30_000, signal: untilCtrlC() });

// `end: false`: no half-close after the request. Many HTTP servers take it for a client that has left, and do not
// answer. The response is complete when the server ends the connection.
of(`${method} ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n`)
  .pipe(
    through(socket, { end: false }),
    toArray(),
    map((chunks) => parse(Buffer.concat(chunks))),
  )
  .subscribe({
    next: ({ status, body }) => {
      console.error(printable(status));
      process.stdout.write(body);
    },
    error: fail,
  });
