// Shows what a client sends, for example a browser: prints every byte in a readable form, and answers after a pause.
import { data, formatEndpoint, listen, type Socket, serve } from '@rxsock/core';
import { debounceTime, map, take, tap } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { parseMilliseconds, type ServerOptions, serverCommandLine } from './kit/command-line.js';

interface Options extends ServerOptions {
  readonly pause: number;
}

const options = serverCommandLine('protocol-sniffer', 'Prints what clients send, and answers with a page for browsers.')
  .option(
    '--pause <ms>',
    'how long a client must be silent before it gets an answer, in milliseconds',
    parseMilliseconds,
    500,
  )
  .addHelpText('after', '\nTry it, or open it in a browser:\n  curl http://127.0.0.1:<port>/')
  .parse()
  .opts<Options>();

const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** Returns printable ASCII as it is and all other bytes escaped, with a line break after each \n. */
function readable(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/[^ -[\]-~]/g, (character) => {
    return escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return text.replaceAll('\\n', '\\n\n').trimEnd();
}

function sniff(socket: Socket) {
  const client = socket.remote ? formatEndpoint(socket.remote) : 'unknown client';
  return socket.pipe(
    data(),
    tap({
      next: (bytes) => console.log(`${client}, ${bytes.length} bytes:\n${readable(bytes)}`),
      complete: () => console.log(`${client} sent FIN`),
    }),
    // Browsers do not half-close after a request, so only a pause shows that the client waits for an answer.
    debounceTime(options.pause),
    take(1),
    map(() => `You sent ${socket.bytesRead} bytes.\n`),
    map((page) => `HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${page.length}\r\n\r\n${page}`),
  );
}

const server = listen({ ...options, idleTimeout: 60_000 });

server.pipe(serve(sniff)).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close(options));
