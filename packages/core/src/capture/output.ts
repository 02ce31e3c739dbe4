// Output: the packets of a capture on their way to a file or a stream. Packets are written into memory at once, and the
// memory is written out as fast as the disk allows. The memory is bounded: packets that find no room are left out.
import { setImmediate } from '../base/real-timers.js';
import { fileHeader, statisticsBlock } from '../pcapng/format.js';
import { PacketMemory } from '../pcapng/packet-writer.js';
import type { CaptureTarget } from './file-target.js';

/** How much is written at once. A packet is always smaller. */
const MEMORY_SIZE = 256 * 1024;
/** How many of them may wait for the disk: 16 MiB. */
const MAX_WAITING = 64;
/** The sources are held while this many wait. */
const HIGH_WATER_MARK = 16;
/** The room for the block at the end of a file. */
const END_LENGTH = 64;

/** By how much the numbers of two SYNs differ. */
const SYN_STEP = 1_000_003;

/** What the memory of the queue holds, and how much of it is written. */
interface Part {
  readonly memory: PacketMemory;
  sent: number;
  /** What is in the bytes that are not sent. */
  counts: Counts;
}

/** How many packets, and how many bytes of payload. */
interface Counts {
  packets: number;
  bytes: number;
}

export interface OutputOptions {
  /** The most bytes of a file. */
  readonly maxBytes: number;
  /** How many files there may be. */
  readonly files: number;
  /** Called when much waits for the disk, and when little does. */
  readonly onFull: (isFull: boolean) => void;
}

export class Output {
  /** The number of the file that is written. */
  file = 0;
  /** What is written. */
  readonly written: Counts = { packets: 0, bytes: 0 };
  /** What is left out. */
  readonly dropped: Counts = { packets: 0, bytes: 0 };
  /** What was left out since the last packet. */
  readonly missed: Counts = { packets: 0, bytes: 0 };
  failure: Error | undefined;

  #connections = 0;
  /** How many packets were written into memory. */
  #accepted = 0;
  readonly #target: CaptureTarget;
  readonly #options: OutputOptions;
  /** What waits to be written. `undefined` is the end of a file. */
  #queue: (Part | undefined)[] = [];
  /** Memory that is not in use. */
  readonly #spare: PacketMemory[] = [];
  /** How many bytes the file has or will have. */
  #fileBytes = 0;
  #last: Part | undefined;
  #pumping: Promise<void> | undefined;
  #scheduled = false;
  #isFull = false;
  #closed = false;

  constructor(target: CaptureTarget, options: OutputOptions) {
    this.#target = target;
    this.#options = options;
    this.#beginFile();
  }

  /** Returns memory with room for `length` bytes; `undefined` if there is none. It may begin a file. */
  room(length: number): PacketMemory | undefined {
    if (this.failure || this.#closed) return undefined;
    if (this.#fileBytes + length > this.#options.maxBytes - END_LENGTH) {
      // The end of the file needs a place, and so does the header of the next one.
      if (this.#options.files === 1 || this.#queue.length + 2 > MAX_WAITING) return undefined;
      this.#last = undefined;
      this.#queue.push(undefined);
      this.file++;
      this.#beginFile();
    }
    return this.#memoryFor(length);
  }

  /** Tells that a packet was written into the memory of `room()`. */
  wrote(length: number, payloadLength: number): void {
    const { counts } = this.#last as Part;
    this.#accepted++;
    counts.packets++;
    counts.bytes += payloadLength;
    this.#fileBytes += length;
    // The packet says so.
    this.missed.packets = 0;
    this.missed.bytes = 0;
    this.#schedule();
  }

  /** Tells that a packet was left out. */
  drop(payloadLength: number): void {
    for (const counts of [this.dropped, this.missed]) add(counts, { packets: 1, bytes: payloadLength });
  }

  /** A number for the SYN of the next connection. They differ, so that a port that is used again is told from it. */
  nextSyn(): number {
    this.#connections++;
    return (this.#connections * SYN_STEP) % 2 ** 32;
  }

  /** Writes what waits, and the counts. Rejects with what the target has failed with. */
  async close(time: number): Promise<void> {
    const { packets } = this.dropped;
    if (!this.failure) this.#append(statisticsBlock(time, this.#accepted + packets, packets));
    this.#closed = true;
    this.#start();
    await this.#pumping;
    try {
      await this.#target.close();
    } catch (error) {
      this.failure ??= error as Error;
    }
  }

  #beginFile(): void {
    this.#fileBytes = 0;
    this.#append(fileHeader());
  }

  #append(block: Buffer): void {
    const memory = this.#memoryFor(block.length);
    // Too much waits: the block at the end is left out.
    if (!memory) return;
    memory.bytes.set(block, memory.used);
    memory.used += block.length;
    this.#fileBytes += block.length;
    this.#schedule();
  }

  #memoryFor(length: number): PacketMemory | undefined {
    const last = this.#last?.memory;
    if (last && last.used + length <= last.bytes.length) return last;
    if (this.#queue.length >= MAX_WAITING) return undefined;
    const memory = this.#spare.pop() ?? new PacketMemory(MEMORY_SIZE);
    memory.used = 0;
    this.#last = { memory, sent: 0, counts: { packets: 0, bytes: 0 } };
    this.#queue.push(this.#last);
    this.#tellIfFull();
    return memory;
  }

  /** In the next turn, so that the packets of this one are written together. */
  #schedule(): void {
    if (this.#scheduled || this.#pumping) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    this.#pumping ??= this.#pump().then(
      () => {
        this.#pumping = undefined;
      },
      (error) => {
        this.#pumping = undefined;
        this.#fail(error);
      },
    );
  }

  async #pump(): Promise<void> {
    for (;;) {
      const end = this.#queue.indexOf(undefined);
      await this.#write(end < 0 ? this.#queue : this.#queue.slice(0, end));
      while (this.#queue[0] && this.#queue[0] !== this.#last && isSent(this.#queue[0])) this.#recycle();
      if (this.#queue.length > 0 && !this.#queue[0]) {
        await this.#target.rotate();
        this.#queue.shift();
      } else if (this.#queue.every(isSent)) return;
    }
  }

  /** Writes everything at once that waits for one file: while it is written, more comes. */
  async #write(parts: readonly (Part | undefined)[]): Promise<void> {
    const counts: Counts = { packets: 0, bytes: 0 };
    const bytes: Buffer[] = [];
    for (const part of parts) {
      if (!part || isSent(part)) continue;
      bytes.push(part.memory.bytes.subarray(part.sent, part.memory.used));
      add(counts, part.counts);
      part.sent = part.memory.used;
      part.counts = { packets: 0, bytes: 0 };
    }
    if (bytes.length === 0) return;
    try {
      await this.#target.write(bytes);
    } catch (error) {
      add(this.dropped, counts);
      throw error;
    }
    add(this.written, counts);
  }

  #recycle(): void {
    const part = this.#queue.shift();
    if (part && this.#target.copies && this.#spare.length < HIGH_WATER_MARK) this.#spare.push(part.memory);
    this.#tellIfFull();
  }

  /** Nothing is written any more, and everything is counted. */
  #fail(error: Error): void {
    this.failure = error;
    for (const part of this.#queue) if (part) add(this.dropped, part.counts);
    this.#queue = [];
    this.#last = undefined;
    this.#spare.length = 0;
    this.#tellIfFull();
  }

  #tellIfFull(): void {
    const isFull = this.#queue.length > HIGH_WATER_MARK;
    // Again while it fills up further: there may be new sockets.
    if (isFull || this.#isFull) this.#options.onFull(isFull);
    this.#isFull = isFull;
  }
}

function isSent(part: Part | undefined): boolean {
  return part !== undefined && part.sent === part.memory.used;
}

function add(counts: Counts, { packets, bytes }: Counts): void {
  counts.packets += packets;
  counts.bytes += bytes;
}
