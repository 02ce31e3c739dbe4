// A line server behind a load balancer: it answers each line with the address of the client, which the balancer tells.
import { data, formatEndpoint, lines, listen, type Socket, serve } from '@rxsock/core';
import { map } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain, trusted } = serverCommandLine('proxied-server', 'Answers lines from behind a load balancer.')
  .option('--trusted <network...>', 'the load balancers to believe: addresses, or networks', ['127.0.0.0/8', '::1'])
  .addHelpText(
    'after',
    "\nTry it:\n  printf 'PROXY TCP4 192.0.2.7 192.0.2.1 4660 80\\r\\nhello\\n' | nc -N 127.0.0.1 <port>",
  )
  .parse()
  .opts<ServerOptions & { readonly trusted: string[] }>();

// Whoever is not trusted, or does not begin with a PROXY header, is reset: printEvent() prints why.
const server = listen({ host, port, proxyProtocol: { trusted } });

function answer(socket: Socket) {
  const client = socket.remote && formatEndpoint(socket.remote);
  return socket.pipe(
    data(),
    lines(),
    map((line) => `${client}: ${line}\n`),
  );
}

server.pipe(serve(answer)).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
