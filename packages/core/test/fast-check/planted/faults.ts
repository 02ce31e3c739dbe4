// Faults of the engine that the model of sockets must find. Each is one change of the built code. Most of them were in
// the library once, or in another one.

/** Where the model runs: in memory on virtual time, or over TCP. */
export type Ground = 'memory' | 'tcp';

export interface Fault {
  /** What is wrong, as a sentence. */
  readonly name: string;
  readonly ground: Ground;
  /** The built file, from `dist`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const faults: readonly Fault[] = [
  // Nothing is lost between readers.
  {
    name: 'bytes that are given back wait for one turn only',
    ground: 'memory',
    file: 'engine/read-side.js',
    find: 'this.#queue.unread(bytes.subarray(0, bytes.length - queued));',
    replace: `this.#queue.unread(bytes.subarray(0, bytes.length - queued));
        setImmediate(() => this.#subscribers.hasReader || this.#queue.clear());`,
  },
  {
    name: 'what nobody has read is dropped at the close',
    ground: 'memory',
    file: 'engine/read-side.js',
    find: `if (this.dropping)
            this.#queue.clear();
        return this.#queue;`,
    replace: 'this.#queue.clear(); return this.#queue;',
  },
  {
    name: 'a framing operator that is left keeps the bytes that it has not used',
    ground: 'memory',
    file: 'operators/decode.js',
    find: 'unread(source, bytes, incoming);',
    replace: ';',
  },
  {
    name: 'bytes that are given back come behind those that wait',
    ground: 'memory',
    file: 'engine/receive-queue.js',
    find: 'this.#chunks.unshift(asBuffer(bytes));',
    replace: 'this.#chunks.push(asBuffer(bytes));',
  },
  // A FIN means whole.
  {
    name: 'an abort while dialling closes with a FIN',
    ground: 'tcp',
    file: 'engine/node-internals.js',
    find: 'resetWhileDialling(stream);',
    replace: 'stream.destroy();',
  },
  {
    name: 'an abort of an open connection closes with a FIN',
    ground: 'tcp',
    file: 'engine/node-internals.js',
    find: `        else
            stream.resetAndDestroy();`,
    replace: `        else
            stream.destroy();`,
  },
  {
    name: 'FIN overtakes the bytes that wait',
    ground: 'memory',
    file: 'engine/write-side.js',
    find: "if (this.state !== 'completing' || this.#ending || !this.#stream || this.pending > 0)",
    replace: "if (this.state !== 'completing' || this.#ending || !this.#stream)",
  },
  // Every waiting state has a clock.
  {
    name: 'no limit runs while a completed side waits for the FIN of the peer',
    ground: 'memory',
    file: 'engine/connection.js',
    find: "this.#timeouts.fin.setRunning(flowing && writeSide.state !== 'open' && waits && !isLimited);",
    replace: '',
  },
  {
    name: 'no limit runs while our side stays open after the FIN of the peer',
    ground: 'memory',
    file: 'engine/connection.js',
    find: 'this.#timeouts.halfOpen.setRunning(!flowing && !writeSide.done && !this.flow.held);',
    replace: '',
  },
  {
    name: 'the end of the peer is not told while nobody reads',
    ground: 'memory',
    file: 'engine/read-side.js',
    find: "if (this.state !== 'ended' || held)",
    replace: "if (this.state !== 'ended' || held || !this.#subscribers.hasReader)",
  },
  // Local decisions overtake data.
  {
    name: 'an abort waits behind the frames of a consumer that is stuck',
    ground: 'memory',
    file: 'operators/decode.js',
    find: 'if (isLocalDecision(error))',
    replace: 'if (false)',
  },
  {
    name: 'an abort waits behind the values of mapWithBackpressure',
    ground: 'memory',
    file: 'operators/map-with-backpressure.js',
    find: 'if (isLocalDecision(error))',
    replace: 'if (false)',
  },
  {
    name: 'an abort is not told if a reset waits behind data',
    ground: 'memory',
    file: 'engine/connection.js',
    find: 'markLocalDecision(this.#outcome.failure);',
    replace: ';',
  },
  {
    name: 'an abort of a held socket waits for the release',
    ground: 'memory',
    file: 'engine/connection.js',
    find: `        this.#outcome.failWith(markLocalDecision(error), 'local', how);`,
    replace: `        if (this.flow.held) return;
        this.#outcome.failWith(markLocalDecision(error), 'local', how);`,
  },
  // Turns.
  {
    name: 'a loop of next() and drain keeps the event loop',
    ground: 'tcp',
    file: 'base/turn-budget.js',
    find: 'const isLeft = !expired && bytesUsed < MOST_BYTES;',
    replace: 'const isLeft = true;',
  },
  // Limits count memory.
  {
    name: 'small writes that wait are kept one by one',
    ground: 'memory',
    file: 'engine/gathered-writes.js',
    find: 'if (this.#chunks.push(bytes) - this.#unjoined >= RUN)',
    replace: 'if (this.#chunks.push(bytes) < 0)',
  },
  {
    name: 'small chunks that are read ahead are kept one by one',
    ground: 'memory',
    file: 'engine/receive-queue.js',
    find: 'if (chunk.length <= SMALL_CHUNK && this.#chunks.length > 0)',
    replace: 'if (false)',
  },
  // Elapsed time.
  {
    name: 'limits depend on the wall clock',
    ground: 'memory',
    file: 'base/clock.js',
    find: 'return scheduler.frame;',
    replace: 'return scheduler.now();',
  },
  // Holds.
  {
    name: 'bytes are delivered while somebody holds',
    ground: 'memory',
    file: 'engine/read-side.js',
    find: 'const canDeliver = hasReader && !held;',
    replace: 'const canDeliver = hasReader;',
  },
  {
    name: 'a consumer that leaves keeps its hold',
    ground: 'memory',
    file: 'flow/holds.js',
    find: `this.#release = undefined;
        release?.();`,
    replace: 'this.#release = undefined;',
  },
  {
    name: 'reading goes on without a bound while nobody takes the bytes',
    ground: 'memory',
    file: 'engine/read-side.js',
    find: "const hasRoom = this.state === 'flowing' && (bytes === 0 || bytes < highWaterMark);",
    replace: "const hasRoom = this.state === 'flowing';",
  },
  // Writes.
  {
    name: 'drain does not come',
    ground: 'memory',
    file: 'engine/write-side.js',
    find: 'this.#handlers.drained();',
    replace: '',
  },
  {
    name: 'a write() that was cut short never settles',
    ground: 'memory',
    file: 'engine/write-side.js',
    find: 'receipt.reject(error);',
    replace: ';',
  },
  // Life and leaving.
  {
    name: 'the last subscriber leaves and the socket stays open',
    ground: 'memory',
    file: 'engine/connection.js',
    find: 'this.#usage.planLeave(() => this.#leave());',
    replace: '',
  },
  {
    name: 'allowHalfOpen is ignored',
    ground: 'memory',
    file: 'engine/connection.js',
    find: 'const allowed = this.allowHalfOpen || this.#wholeWrites > 0;',
    replace: 'const allowed = this.#wholeWrites > 0;',
  },
  {
    name: 'the limits of a closed connection run on',
    ground: 'memory',
    file: 'engine/connection.js',
    find: 'this.#timeouts.stop();',
    replace: '',
  },
  {
    name: 'a failed read looks like an end',
    ground: 'memory',
    file: 'engine/connection.js',
    find: `        this.#readSide.cut();
        const error = this.opening.explain(cause);`,
    replace: `        this.#readSide.end();
        const error = this.opening.explain(cause);`,
  },
];
