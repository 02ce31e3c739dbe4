// One chat in many processes: on all cores with node:cluster, and on several machines over Redis or NATS.
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { formatEndpoint, listen, serve } from '@rxsock/core';
import { fail, messageOf, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine, wholeNumber } from './kit/command-line.js';
import { localBus } from './scale-out/bus.js';
import { chat } from './scale-out/chat.js';
import { openBus } from './scale-out/open-bus.js';
import { Workers } from './scale-out/workers.js';

interface Options extends ServerOptions {
  readonly processes: number;
  readonly bus: string | undefined;
  readonly reusePort: boolean;
}

const program = serverCommandLine('scale-out', 'Sends what each client says to the clients of all processes.')
  .option(
    '--processes <number>',
    'how many processes share the port; SIGHUP replaces them one by one',
    wholeNumber(1, 1_000),
    1,
  )
  .option('--bus <url>', 'what joins processes and machines: redis://<host>:<port> or nats://<host>:<port>')
  .option('--reuse-port', 'let each process listen itself, with SO_REUSEPORT; needs --port, and Node 22.12', false)
  .addHelpText(
    'after',
    '\nTry it with --processes 2 --bus redis://127.0.0.1:6379, and in two terminals:\n  nc 127.0.0.1 <port>',
  )
  .parse();
const { host, port, drain, processes, bus: url, reusePort } = program.opts<Options>();
if (processes > 1 && url === undefined) program.error("error: more than one process needs the option '--bus'");
if (reusePort && port === 0) program.error("error: option '--reuse-port' needs the option '--port'");

/** The primary process of a cluster: it serves nobody itself. */
async function runWorkers(): Promise<void> {
  const workers = new Workers(processes, fileURLToPath(import.meta.url));
  onCtrlC(() => workers.stop());
  console.log(`Listening on ${await workers.start()}`);
  process.on('SIGHUP', () => {
    const onReplaced = (pid: number, old: number) => console.log(`Process ${pid} has taken over from ${old}`);
    workers.restart(onReplaced).catch((error) => console.error(messageOf(error)));
  });
}

async function runServer(): Promise<void> {
  const bus = url === undefined ? localBus() : await openBus(url);
  const server = listen({
    host,
    port,
    reusePort,
    // A client that does not read at all loses its connection, after `writeGracePeriod`.
    minWriteRate: 240,
  });
  const stop = async () => {
    await server.close({ drain });
    await bus.close();
    // A worker that leaves in this way gives connections that are on their way to it back to the primary process.
    cluster.worker?.disconnect();
  };
  server.pipe(serve(chat(server, bus, drain / 2))).subscribe({
    next: (event) => {
      if (event.type === 'listening' && cluster.isWorker) process.send?.(formatEndpoint(event.address));
      else printEvent(event);
    },
    error: (error) => {
      fail(error);
      void stop();
    },
  });
  onCtrlC(stop);
}

(processes > 1 && cluster.isPrimary ? runWorkers() : runServer()).catch((error) => {
  fail(error);
  cluster.worker?.disconnect();
});
