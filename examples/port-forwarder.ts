// A port forwarder: each connection is passed on to another address, both ways, half-closes and resets included.
import { connect, listen, relay, serve } from '@rxsock/core';
import * as cli from './cli.js';

const program = cli
  .serverCommand('port-forwarder', 'Passes every connection on to another address.')
  .argument('<target-host>', 'where to pass connections on to')
  .argument('<target-port>', 'and its port', cli.port)
  .addHelpText('after', '\nTry it:\n  port-forwarder --port 8080 example.com 80')
  .parse();
const { host, port, drain } = program.opts<cli.ServerOptions>();
const [targetHost, targetPort] = program.processedArgs as [string, number];

const server = listen({ host, port });

// The target is dialled for each client. If it cannot be reached, that client is reset, and the others go on.
server
  .pipe(serve((client) => relay(client, connect({ host: targetHost, port: targetPort }))))
  .subscribe({ next: cli.printEvent, error: cli.fail });

cli.onCtrlC(() => server.close({ drain }));
