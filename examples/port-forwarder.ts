// A port forwarder: connects each client to another address, in both directions, with half-closes and resets.
import { connect, listen, relay, serve } from '@rxsock/core';
import { fail, onCtrlC, printEvent } from './cli.js';
import { parsePort, type ServerOptions, serverCommandLine } from './kit/command-line.js';

const program = serverCommandLine('port-forwarder', 'Forwards every connection to another address.')
  .argument('<target-host>', 'the host to forward to')
  .argument('<target-port>', 'its port', parsePort)
  .addHelpText('after', '\nTry it:\n  port-forwarder --port 8080 example.com 80')
  .parse();
const { host, port, drain } = program.opts<ServerOptions>();
const [targetHost, targetPort] = program.processedArgs as [string, number];

const server = listen({ host, port });

// Dials the target once for each client. If that fails, the client is reset, and the server keeps running.
server
  .pipe(serve((client) => relay(client, connect({ host: targetHost, port: targetPort }))))
  .subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
