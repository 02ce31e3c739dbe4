// How many bytes of a TCP connection the peer's kernel has not acknowledged, from the tables of the Linux kernel. Node
// shows only what the kernel of this side has taken, which is up to some megabytes more: while a peer reads 0.1 MB/s
// without a pause, Linux takes nothing more for longer than 5 s.
import fs, { type FileHandle } from 'node:fs/promises';
import net from 'node:net';
import { endianness } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { addressBytes } from '../base/address-bytes.js';

/** Linux gives no more than 4 KB at once. */
const BUFFER_SIZE = 4096;

/** Both ends of a connection, with the addresses as Node spells them. */
export interface ConnectionEnds {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** One read of a table. Everybody who asks before it starts shares it. */
interface Reading {
  readonly keys: Set<string>;
  readonly found: Promise<ReadonlyMap<string, number>>;
}

/** A file like `/proc/self/net/tcp`. */
export class KernelTable {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();
  #next: Reading | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Returns how many bytes the peer has not acknowledged. A FIN counts as one.
   * @returns Resolves to `undefined` if the connection is not in the table or the table cannot be read. Never rejects.
   */
  async unacknowledged(ends: ConnectionEnds): Promise<number | undefined> {
    const key = keyOf(ends);
    if (key === undefined) return undefined;
    // A read may miss a connection that is there, because the kernel shows its table in parts.
    return (await this.#find(key)) ?? (await this.#find(key));
  }

  async #find(key: string): Promise<number | undefined> {
    this.#next ??= this.#plan();
    this.#next.keys.add(key);
    return (await this.#next.found).get(key);
  }

  // Reads follow each other, because the table of a busy server is long.
  #plan(): Reading {
    const keys = new Set<string>();
    const found = this.#last.then(async () => {
      // Timers of the same turn share the read.
      await setImmediate();
      this.#next = undefined;
      return readTable(this.#path, keys);
    });
    this.#last = found;
    return { keys, found };
  }
}

/** Returns the numbers of unacknowledged bytes of those of the `keys` that are in the table. */
async function readTable(path: string, keys: ReadonlySet<string>): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  let file: FileHandle | undefined;
  try {
    file = await fs.open(path);
    const buffer = Buffer.allocUnsafe(BUFFER_SIZE);
    let rest = '';
    while (found.size < keys.size) {
      const { bytesRead } = await file.read(buffer, 0, BUFFER_SIZE, null);
      if (bytesRead === 0) break;
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) {
        // The number of the line, both ends, the state, and the bytes that wait to be acknowledged.
        const [, key = '', bytes = ''] = /^ *\d+: (\S+ \S+) \S+ (\w+):/.exec(line) ?? [];
        if (keys.has(key)) found.set(key, Number.parseInt(bytes, 16));
      }
    }
  } catch {
    // There is no such table here, or it cannot be read. What was found before the error is right.
  } finally {
    await file?.close().catch(() => {});
  }
  return found;
}

/** Returns both ends as the table spells them; `undefined` if one is not known. */
function keyOf({ localAddress, localPort, remoteAddress, remotePort }: ConnectionEnds): string | undefined {
  const local = tableSpelling(localAddress, localPort);
  const remote = tableSpelling(remoteAddress, remotePort);
  return local && remote && `${local} ${remote}`;
}

// The kernel prints addresses as words of 32 bits in the byte order of the machine, and ports as numbers.
function tableSpelling(address = '', port = 0): string | undefined {
  if (net.isIP(address) === 0) return undefined;
  const bytes = addressBytes(address);
  if (endianness() === 'LE') bytes.swap32();
  return `${bytes.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}
