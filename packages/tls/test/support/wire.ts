// A tapped wire between two sides: it logs the TLS records that pass, and can be cut.
import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';

/** One direction of a wire. */
export interface Direction {
  /** The type of each record with the length of its payload, then `FIN` or `RST`: `handshake:512`, `data:19`, … */
  readonly log: string[];
  /** Forwards the next bytes without their last `bytes`, and a FIN in their place. */
  cutInside(bytes: number): void;
  /** Sends FIN to the receiver now, and drops what comes afterwards. */
  cut(): void;
  /** Sends bytes that did not come from the sender. */
  inject(bytes: Buffer): void;
  /** Sends RST to the receiver now. */
  reset(): void;
  /** Does not forward FIN. */
  keepOpen(): void;
  /** How the sender has ended. */
  readonly ended: Promise<'FIN' | 'RST'>;
}

export interface Wire {
  /** The port to dial in place of the server. */
  readonly port: number;
  readonly toServer: Direction;
  readonly toClient: Direction;
}

/** What a close_notify looks like with the cipher suites that both sides choose here. */
export const CLOSE_NOTIFY = { 'TLSv1.2': 'alert:26', 'TLSv1.3': 'data:19' } as const;

const TYPES: Record<number, string> = { 20: 'cipher', 21: 'alert', 22: 'handshake', 23: 'data' };

/** A wire for one connection to a port of this machine. */
export async function wireTo(port: number): Promise<Wire> {
  const listener = net.createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const ends: net.Socket[] = [];
  onTestFinished(() => {
    listener.close();
    for (const end of ends) end.destroy();
  });
  const toServer = new Line();
  const toClient = new Line();
  listener.on('connection', (client: net.Socket) => {
    const server = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    ends.push(client, server);
    toServer.join(client, server);
    toClient.join(server, client);
  });
  return { port: (listener.address() as net.AddressInfo).port, toServer, toClient };
}

class Line implements Direction {
  readonly log: string[] = [];
  readonly ended: Promise<'FIN' | 'RST'>;
  #end: (how: 'FIN' | 'RST') => void = () => {};
  #receiver: net.Socket | undefined;
  #unseen = Buffer.alloc(0);
  #cutInside = 0;
  #isCut = false;
  #keepsOpen = false;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  join(sender: net.Socket, receiver: net.Socket): void {
    this.#receiver = receiver;
    tellResets(sender);
    const over = (how: 'FIN' | 'RST') => {
      this.log.push(how);
      this.#end(how);
    };
    sender.on('data', (bytes: Buffer) => this.#pass(bytes, sender));
    sender.on('end', () => {
      over('FIN');
      if (!this.#keepsOpen) receiver.end();
    });
    sender.on('error', () => {
      over('RST');
      receiver.resetAndDestroy();
    });
  }

  cut(): void {
    this.#isCut = true;
    this.#receiver?.end();
  }

  inject(bytes: Buffer): void {
    this.#receiver?.write(bytes);
  }

  reset(): void {
    this.#isCut = true;
    this.#receiver?.resetAndDestroy();
  }

  keepOpen(): void {
    this.#keepsOpen = true;
  }

  cutInside(bytes: number): void {
    this.#cutInside = bytes;
  }

  #pass(bytes: Buffer, sender: net.Socket): void {
    this.#read(bytes);
    if (this.#isCut) return;
    if (this.#cutInside > 0) {
      this.#receiver?.write(bytes.subarray(0, -this.#cutInside));
      return this.cut();
    }
    if (this.#receiver?.write(bytes)) return;
    sender.pause();
    this.#receiver?.once('drain', () => sender.resume());
  }

  #read(bytes: Buffer): void {
    this.#unseen = Buffer.concat([this.#unseen, bytes]);
    while (this.#unseen.length >= 5) {
      const length = this.#unseen.readUInt16BE(3);
      if (this.#unseen.length < 5 + length) return;
      const type = this.#unseen.readUInt8(0);
      this.log.push(`${TYPES[type] ?? type}:${length}`);
      this.#unseen = this.#unseen.subarray(5 + length);
    }
  }
}

// Node 20 and 22 report data that a reset follows as a clean end. The second read shows the reset.
function tellResets(stream: net.Socket): void {
  const { push } = stream;
  let suspected = false;
  stream.push = (chunk, encoding) => {
    if (chunk !== null || suspected || stream.destroyed) return push.call(stream, chunk, encoding);
    suspected = true;
    const { _handle: handle } = stream as unknown as { readonly _handle: { readStart(): number } };
    return handle.readStart() !== 0 && push.call(stream, chunk, encoding);
  };
}
