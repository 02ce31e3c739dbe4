// Shows what a client says, a browser for example: prints it byte for byte, readable, and answers when the client pauses.
import { data, formatEndpoint, listen, type Socket, serve } from '@rxsock/core';
import { debounceTime, map, take, tap } from 'rxjs';
import * as cli from './cli.js';

interface Options extends cli.ServerOptions {
  readonly pause: number;
}

const options = cli
  .serverCommand('protocol-sniffer', 'Prints what clients send, and answers with a page that a browser shows.')
  .option('--pause <ms>', 'answer when nothing has come for so long, in milliseconds', cli.milliseconds, 500)
  .addHelpText('after', '\nTry it, or open it in a browser:\n  curl http://127.0.0.1:<port>/')
  .parse()
  .opts<Options>();

const names: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** ASCII as it is, anything else by its name or number; a new line after each line. */
function readable(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/[^ -[\]-~]/g, (character) => {
    return names[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return text.replaceAll('\\n', '\\n\n').trimEnd();
}

function sniff(socket: Socket) {
  const client = socket.remote ? formatEndpoint(socket.remote) : 'somebody who has left';
  return socket.pipe(
    data(),
    tap({
      next: (bytes) => console.log(`${client}, ${bytes.length} bytes:\n${readable(bytes)}`),
      complete: () => console.log(`${client} has said all`),
    }),
    // Clients do not say that they wait for an answer: browsers keep their side open.
    debounceTime(options.pause),
    take(1),
    map(() => `I have heard ${socket.bytesRead} bytes from you.\n`),
    map((page) => `HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${page.length}\r\n\r\n${page}`),
  );
}

const server = listen({ ...options, idleTimeout: 60_000 });

server.pipe(serve(sniff)).subscribe({ next: cli.printEvent, error: cli.fail });

cli.onCtrlC(() => server.close(options));
