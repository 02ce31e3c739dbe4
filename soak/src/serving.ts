// Runs a server of a scenario, with its measurements.
import { type HandlerResult, on, type ServeOptions, type Socket, serve } from '@rxsock/core';
import type { Findings } from './findings.js';
import type { Queues } from './queues.js';
import { makeListener, type Target, type TransportName } from './transports.js';

/** How long the server waits for connections when it is closed, in milliseconds. */
const DRAIN = 10_000;

export interface ServingOptions extends ServeOptions {
  /** What it is called in the report. */
  readonly name: string;
  readonly transport: TransportName;
  readonly maxConnections: number;
  readonly handler: (socket: Socket) => HandlerResult;
  /** The codes of the errors with which connections may fail. */
  readonly expected?: readonly string[];
}

export class Serving {
  readonly target: Target;
  /** How many connections are open now. */
  readonly open: () => number;
  readonly #close: () => Promise<void>;

  private constructor(target: Target, open: () => number, close: () => Promise<void>) {
    this.target = target;
    this.open = open;
    this.#close = close;
  }

  static async start(options: ServingOptions, findings: Findings, queues: Queues): Promise<Serving> {
    const { name, transport, maxConnections, handler, expected = [], ...serveOptions } = options;
    const where = `${transport} ${name}`;
    const { server, targetOf, dispose } = await makeListener(transport, maxConnections);
    let open = 0;
    const watch = (socket: Socket) => {
      findings.count(`${where} connections`);
      open++;
      const unwatch = queues.watch(socket);
      const closed = () => {
        open--;
        unwatch();
      };
      socket.pipe(on('close')).subscribe({
        next: ({ report }) => findings.count(`${where} bytes`, report.bytesRead + report.bytesWritten),
        error: closed,
        complete: closed,
      });
    };
    const target = await new Promise<Target>((resolve, reject) => {
      server.pipe(serve(handler, serveOptions)).subscribe({
        next: (event) => {
          if (event.type === 'listening') resolve(targetOf(event.address));
          else if (event.type === 'connection') watch(event.socket);
          else if (event.type === 'connectionError') findings.error(event.error, where, expected);
          // A client that leaves during the handshake is one of the faults.
          else if (event.type === 'drop' && event.reason === 'handshake' && expected.length > 0)
            findings.count(`${where} failed handshakes`);
          else if (event.type === 'drop') findings.violation(`${where}: dropped, ${event.reason}`);
        },
        error: reject,
      });
    });
    return new Serving(
      target,
      () => open,
      async () => {
        await server.close({ drain: DRAIN });
        await dispose();
      },
    );
  }

  /** Stops accepting, and waits for the connections. */
  close(): Promise<void> {
    return this.#close();
  }
}
