// Faults of the engine that the model of sockets must find. Each is one change of the code. Most of them were in
// the library once, or in another one.

/** Where the model runs: in memory on virtual time, or over TCP. */
export type Ground = 'memory' | 'tcp';

export interface Fault {
  /** What is wrong, as a sentence. */
  readonly name: string;
  readonly ground: Ground;
  /** The file, from `src`. */
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
    file: 'engine/read-side.ts',
    find: 'this.#queue.unread(bytes.subarray(0, bytes.length - queued));',
    replace: `this.#queue.unread(bytes.subarray(0, bytes.length - queued));
        setImmediate(() => this.#subscribers.hasReader || this.#queue.clear());`,
  },
  {
    name: 'what nobody has read is dropped at the close',
    ground: 'memory',
    file: 'engine/read-side.ts',
    find: `if (this.dropping) this.#queue.clear();
    return this.#queue;`,
    replace: 'this.#queue.clear(); return this.#queue;',
  },
  {
    name: 'a framing operator that is left keeps the bytes that it has not used',
    ground: 'memory',
    file: 'operators/decode.ts',
    find: 'unread(source, bytes, incoming);',
    replace: ';',
  },
  {
    name: 'bytes that are given back come behind those that wait',
    ground: 'memory',
    file: 'engine/receive-queue.ts',
    find: 'this.#chunks = [asBuffer(bytes), ...(this.#chunks ?? [])];',
    replace: 'this.#chunks = [...(this.#chunks ?? []), asBuffer(bytes)];',
  },
  // A FIN means whole.
  {
    name: 'an abort while dialling closes with a FIN',
    ground: 'tcp',
    file: 'engine/stream-resets.ts',
    find: 'resetWhileDialling(stream);',
    replace: 'stream.destroy();',
  },
  {
    name: 'an abort of an open connection closes with a FIN',
    ground: 'tcp',
    file: 'engine/stream-resets.ts',
    find: 'else stream.resetAndDestroy();',
    replace: 'else stream.destroy();',
  },
  {
    name: 'FIN overtakes the bytes that wait',
    ground: 'memory',
    file: 'engine/write-side.ts',
    find: "if (this.state !== 'completing' || this.#ending || !this.#stream || this.#waits(1))",
    replace: "if (this.state !== 'completing' || this.#ending || !this.#stream)",
  },
  // Every waiting state has a clock.
  {
    name: 'no limit runs while a completed side waits for the FIN of the peer',
    ground: 'memory',
    file: 'engine/connection-machine.ts',
    find: "timeouts.setPaused('fin', !waits);",
    replace: "timeouts.stop('fin');",
  },
  {
    name: 'no limit runs while our side stays open after the FIN of the peer',
    ground: 'memory',
    file: 'engine/connection-machine.ts',
    find: "timeouts.setPaused('halfOpen', this.flow.held);",
    replace: "timeouts.stop('halfOpen');",
  },
  {
    name: 'the end of the peer is not told while nobody reads',
    ground: 'memory',
    file: 'engine/read-side.ts',
    find: "if (this.state !== 'ended' || held)",
    replace: "if (this.state !== 'ended' || held || !this.#subscribers.hasReader)",
  },
  // Local decisions overtake data.
  {
    name: 'an abort waits behind the frames of a consumer that is stuck',
    ground: 'memory',
    file: 'operators/decode.ts',
    find: 'if (isLocalDecision(error))',
    replace: 'if (false)',
  },
  {
    name: 'an abort waits behind the values of mapWithBackpressure',
    ground: 'memory',
    file: 'operators/map-with-backpressure.ts',
    find: 'if (isLocalDecision(error))',
    replace: 'if (false)',
  },
  {
    name: 'an abort is not told if a reset waits behind data',
    ground: 'memory',
    file: 'engine/connection-machine.ts',
    find: 'markLocalDecision(this.outcome.failure);',
    replace: ';',
  },
  {
    name: 'an abort of a held socket waits for the release',
    ground: 'memory',
    file: 'engine/connection-machine.ts',
    find: "const isFirst = this.outcome.failWith(markLocalDecision(error), 'local', how);",
    replace: `if (this.flow.held) return;
    const isFirst = this.outcome.failWith(markLocalDecision(error), 'local', how);`,
  },
  // Turns.
  {
    name: 'a loop of next() and drain keeps the event loop',
    ground: 'tcp',
    file: 'base/turn-budget.ts',
    find: 'const isLeft = !expired && bytesUsed < MOST_BYTES;',
    replace: 'const isLeft = true;',
  },
  // Limits count memory.
  {
    name: 'small writes that wait are kept one by one',
    ground: 'memory',
    file: 'engine/gathered-writes.ts',
    find: 'if (this.#chunks.push(bytes) - this.#unjoined >= RUN)',
    replace: 'if (this.#chunks.push(bytes) < 0)',
  },
  {
    name: 'small chunks that are read ahead are kept one by one',
    ground: 'memory',
    file: 'engine/receive-queue.ts',
    find: 'else if (chunk.length > SMALL_CHUNK)',
    replace: 'else if (chunk.length >= 0)',
  },
  // Elapsed time.
  {
    name: 'limits depend on the wall clock',
    ground: 'memory',
    file: 'base/clock.ts',
    find: 'return scheduler.frame;',
    replace: 'return scheduler.now();',
  },
  // Holds.
  {
    name: 'bytes are delivered while somebody holds',
    ground: 'memory',
    file: 'engine/read-side.ts',
    find: 'const canDeliver = hasReader && !held;',
    replace: 'const canDeliver = hasReader;',
  },
  {
    name: 'a consumer that leaves keeps its hold',
    ground: 'memory',
    file: 'flow/holds.ts',
    find: `this.#release = undefined;
    release?.();`,
    replace: 'this.#release = undefined;',
  },
  {
    name: 'reading goes on without a bound while nobody takes the bytes',
    ground: 'memory',
    file: 'engine/read-side.ts',
    find: "const hasRoom = this.state === 'flowing' && (bytes === 0 || bytes < highWaterMark);",
    replace: "const hasRoom = this.state === 'flowing';",
  },
  // Writes.
  {
    name: 'drain does not come',
    ground: 'memory',
    file: 'engine/write-side.ts',
    find: 'this.#handlers.drained();',
    replace: '',
  },
  {
    name: 'a write() that was cut short never settles',
    ground: 'memory',
    file: 'engine/write-receipts.ts',
    find: 'first.reject(error);',
    replace: ';',
  },
  // Life and leaving.
  {
    name: 'the last subscriber leaves and the socket stays open',
    ground: 'memory',
    file: 'engine/connection.ts',
    find: 'this.usage.planLeave(() => this.#leave());',
    replace: '',
  },
  {
    name: 'allowHalfOpen is ignored',
    ground: 'memory',
    file: 'engine/connection-machine.ts',
    find: 'const allowed = this.allowHalfOpen || this.wholeWrites > 0;',
    replace: 'const allowed = this.wholeWrites > 0;',
  },
  {
    name: 'the limits of a closed connection run on',
    ground: 'memory',
    file: 'engine/connection-machine.ts',
    find: 'this.timeouts.stopAll();',
    replace: '',
  },
  {
    name: 'a failed read looks like an end',
    ground: 'memory',
    file: 'engine/streamed-connection.ts',
    find: `this.readSide.cut();
    const error = this.opening.explain(cause);`,
    replace: `this.readSide.end();
    const error = this.opening.explain(cause);`,
  },
];
