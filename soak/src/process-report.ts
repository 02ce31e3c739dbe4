// What one process of a scenario has done and seen. Child processes send it to their parent as a message.

/** What a process uses at one moment, after garbage collection. */
export interface Resources {
  /** Resident memory, in bytes. */
  readonly rss: number;
  /** The JavaScript heap, in bytes. */
  readonly heap: number;
  /** The memory of buffers, in bytes. */
  readonly buffers: number;
  /** Open file descriptors; `undefined` where the system does not show them. */
  readonly descriptors: number | undefined;
  /** Sockets in memory. */
  readonly sockets: number;
}

export interface ProcessReport {
  /** What the process was: a server, or a client. */
  readonly role: string;
  readonly seconds: number;
  /** What was done, by name: connections, bytes, and so on. */
  readonly counts: Readonly<Record<string, number>>;
  /** How often each kind of error came: the code of the error, and where it came. */
  readonly errors: Readonly<Record<string, number>>;
  /** Broken invariants, and how often. If there is one, the run has failed. */
  readonly violations: Readonly<Record<string, number>>;
  readonly before: Resources;
  readonly after: Resources;
  /** The largest resident memory, in bytes. */
  readonly largestRss: number;
  /** The largest number of bytes that waited in one socket to be written. */
  readonly largestQueue: number;
  /** The longest time for which the event loop did not turn, in milliseconds. */
  readonly longestStop: number;
}
