// Peers that are not Node: any number of connections in one Python process, each of which does what the test says.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type FarEnd, numberedBytes } from '@rxsock/core/fast-check';
import { type Observable, Subject } from 'rxjs';
import { cert, key } from '../certificate.js';
import { needProgram } from '../need-program.js';

/**
 * One accepted connection, as the other end of a modelled one. Its properties follow what the process has seen so far.
 *
 * A UNIX socket has no reset: there `reset()` only closes. Over TLS an end without close_notify counts as `reset`.
 * `stall()` takes effect later: bytes of a later `send()` prove that it has.
 */
export interface ScriptedConnection extends FarEnd {
  /** Emits when a property has changed. Completes when the connection is closed. */
  readonly changes: Observable<void>;
}

export interface ScriptedPeer {
  /** The port on 127.0.0.1; 0 at a path. */
  readonly port: number;
  /** The next accepted connection, after its handshake. */
  accept(): Promise<ScriptedConnection>;
  /** Ends the process, and with it every connection. */
  close(): Promise<void>;
}

export interface ScriptedPeerOptions {
  /** Speaks TLS of this version, with the certificate of `../certificate.ts`, which is valid for `localhost`. */
  readonly tls?: '1.2' | '1.3';
  /** Listens at this UNIX path in place of a port. */
  readonly path?: string;
}

/** Every connection expects the stream that the model of sockets sends: byte i is `pattern[i % pattern.length]`. */
export const pattern: Uint8Array = numberedBytes('near', 0, 65_521);

/** The expected stream, from one offset up to another. */
export function patternBytes(start: number, end: number): Buffer {
  return numberedBytes('near', start, end - start);
}

type Message =
  | { readonly listening: number }
  | { readonly accepted: number }
  | ({ readonly id: number; readonly closed: boolean } & Status);

interface Status {
  readonly received: number;
  readonly mismatch: number | null;
  readonly ended: 'fin' | 'reset' | null;
}

class Accepted implements ScriptedConnection {
  readonly changes = new Subject<void>();
  #status: Status = { received: 0, mismatch: null, ended: null };
  readonly #tell: (command: object) => void;

  constructor(id: number, tell: (command: object) => void) {
    this.#tell = (command) => tell({ id, ...command });
  }

  get received() {
    return this.#status.received;
  }

  get mismatch() {
    return this.#status.mismatch ?? undefined;
  }

  get ended() {
    return this.#status.ended ?? undefined;
  }

  send(bytes: Uint8Array): void {
    this.#tell({ do: 'send', data: Buffer.from(bytes).toString('base64') });
  }

  end = (): void => this.#tell({ do: 'end' });
  reset = (): void => this.#tell({ do: 'reset' });
  stall = (): void => this.#tell({ do: 'stall' });
  resume = (): void => this.#tell({ do: 'resume' });

  update(status: Status, isClosed: boolean): void {
    this.#status = status;
    this.changes.next();
    if (isClosed) this.changes.complete();
  }
}

interface Waiting {
  resolve(connection: ScriptedConnection): void;
  reject(error: Error): void;
}

/** Starts the process. It also ends when this process does. */
export async function scriptedPeer({ tls, path }: ScriptedPeerOptions = {}): Promise<ScriptedPeer> {
  needProgram('python3');
  const script = new URL('scripted.py', import.meta.url).pathname;
  const child = spawn('python3', ['-IS', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const tell = (command: object) => void child.stdin.write(`${JSON.stringify(command)}\n`);
  // The process may have ended already.
  child.stdin.on('error', () => {});
  const connections = new Map<number, Accepted>();
  const ready: Accepted[] = [];
  const waiting: Waiting[] = [];
  let isOver = false;
  const end = (error: Error) => {
    isOver = true;
    for (const { reject } of waiting.splice(0)) reject(error);
    for (const { changes } of connections.values()) changes.complete();
  };
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  exited.then(
    () => end(new Error('The scripted peer has ended')),
    (error) => end(error),
  );

  function take(id: number): void {
    const connection = new Accepted(id, tell);
    connections.set(id, connection);
    const first = waiting.shift();
    if (first) first.resolve(connection);
    else ready.push(connection);
  }

  const port = await new Promise<number>((resolve, reject) => {
    exited.then(() => reject(new Error('The scripted peer could not listen')), reject);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as Message;
      if ('listening' in message) resolve(message.listening);
      else if ('accepted' in message) take(message.accepted);
      else {
        connections.get(message.id)?.update(message, message.closed);
        if (message.closed) connections.delete(message.id);
      }
    });
    const table = Buffer.from(pattern).toString('base64');
    tell({ tls: tls ?? null, path: path ?? null, pattern: table, cert, key });
  });

  return {
    port,
    accept: () => {
      const connection = ready.shift();
      if (connection) return Promise.resolve(connection);
      if (isOver) return Promise.reject(new Error('The scripted peer has ended'));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    close: () => {
      child.stdin.end();
      return exited;
    },
  };
}
