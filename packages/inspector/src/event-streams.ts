// The pages that are open, and when each of them gets its next snapshot.
import type { ServerResponse } from 'node:http';
import { basename } from 'node:path';
import type { ProcessInfo, Snapshot } from './messages.js';
import { poolRows } from './pool-rows.js';
import type { Recorder } from './recorder.js';
import { PAGE_SIZE, rowsOf, type View } from './view.js';

/** The shortest time between two snapshots, in milliseconds: four a second. */
const SHORTEST_PACE = 250;
/** Snapshots take one part in so many of the process's time at most: the more one costs, the rarer they are. */
const SHARE = 100;
/** How many closed sockets a page shows. */
const MOST_CLOSED = 50;

export class EventStreams {
  readonly #recorder: Recorder;
  readonly #streams = new Map<ServerResponse, View>();
  /** Runs while a page is open. */
  #timer: NodeJS.Timeout | undefined;
  /** How long a look takes, with the snapshots for all pages, and when the next ones follow, in milliseconds. */
  #cost = 0;
  #pace = SHORTEST_PACE;
  #hasWarned = false;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Sends snapshots to a page until it leaves. */
  add(response: ServerResponse, view: View): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(`event: process\ndata: ${JSON.stringify(processInfo())}\n\n`);
    response.on('close', () => this.#streams.delete(response));
    this.#streams.set(response, view);
    // A page that changes its view comes again. It gets its new rows at once, from the last look at the sockets.
    if (this.#timer) this.#guarded(() => this.#send(response, view));
    else this.#lookIn(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#streams.clear();
  }

  #lookIn(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), delay).unref();
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#streams.size === 0) return;
    const start = performance.now();
    this.#guarded(() => {
      this.#recorder.sample(4 * this.#pace);
      for (const [response, view] of this.#streams) {
        // One that waits behind another one of its connection does not tell that the connection has closed.
        if (response.req.socket.destroyed) this.#streams.delete(response);
        // A page that does not read, as one in the background, misses some.
        else if (!response.writableNeedDrain) this.#send(response, view);
      }
    });
    // Smoothed, because one look may have been interrupted.
    this.#cost += (performance.now() - start - this.#cost) / 4;
    this.#pace = Math.max(SHORTEST_PACE, this.#cost * SHARE);
    this.#lookIn(this.#pace);
  }

  // A guest must not end the process, whatever a property of a socket does that the application has redefined.
  #guarded(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!this.#hasWarned) process.emitWarning(`The inspector cannot show the sockets: ${error}`);
      this.#hasWarned = true;
    }
  }

  #send(response: ServerResponse, view: View): void {
    response.write(`data: ${JSON.stringify(this.#snapshot(view))}\n\n`);
  }

  #snapshot(view: View): Snapshot {
    const { sockets, servers, closedSockets, reconnects, totals } = this.#recorder;
    const records = [...sockets.values()];
    const { selected } = view;
    return {
      time: Date.now(),
      cost: this.#cost,
      pace: this.#pace,
      totals,
      servers: servers.rows,
      ...rowsOf(view, records),
      held: records.filter(({ holders }) => holders.length > 0).length,
      queued: records.filter(({ socket }) => socket.writableLength > 0).length,
      reconnects: reconnects.rows(PAGE_SIZE),
      pools: poolRows(PAGE_SIZE),
      closed: closedSockets.rows(MOST_CLOSED),
      selected:
        selected === undefined ? undefined : (this.#recorder.find(selected)?.details ?? closedSockets.find(selected)),
    };
  }
}

function processInfo(): ProcessInfo {
  const { argv, title, pid, version } = process;
  const startedAt = Math.round(performance.timeOrigin);
  return { title: argv[1] === undefined ? title : basename(argv[1]), pid, node: version, startedAt };
}
