// An HTTP/1.0 server, good enough for curl: one page, GET and HEAD, and limits for slow clients.
import { data, delimited, listen, serve } from '@rxsock/core';
import { map, take } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain } = serverCommandLine('http-server', 'Answers GET and HEAD requests for one page.')
  .addHelpText('after', '\nTry it:\n  curl -i http://127.0.0.1:<port>/')
  .parse()
  .opts<ServerOptions>();

const pages = new Map([['/', 'Hello from rxsock!\n']]);

function answer(head: Buffer): string {
  const [, method, path] = /^([A-Z]+) (\S+) HTTP\/1\.[01](?:\r\n|$)/.exec(head.toString('latin1')) ?? [];
  if (method === undefined || path === undefined) return response('400 Bad Request', 'That is not HTTP.\n');
  if (method !== 'GET' && method !== 'HEAD') return response('405 Method Not Allowed', '', 'Allow: GET, HEAD\r\n');
  const page = pages.get(path);
  const whole = page === undefined ? response('404 Not Found', 'There is no such page.\n') : response('200 OK', page);
  return method === 'HEAD' ? whole.slice(0, whole.indexOf('\r\n\r\n') + 4) : whole;
}

function response(status: string, body: string, headers = ''): string {
  const length = Buffer.byteLength(body);
  return (
    `HTTP/1.0 ${status}\r\n${headers}Content-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`
  );
}

// Three limits protect the server: 10 s without a byte (idleTimeout), 10 s for the whole head of the request
// (frameTimeout), and 16 KiB of head (maxLength). The connection of a client that exceeds one is reset.
const server = listen({ host, port, idleTimeout: 10_000 });

server
  .pipe(
    serve((socket) =>
      socket.pipe(
        data(),
        delimited('\r\n\r\n', { maxLength: 16_384, trailing: 'drop', frameTimeout: 10_000 }),
        take(1),
        map(answer),
      ),
    ),
  )
  .subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
