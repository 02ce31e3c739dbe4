// The members of net.Socket that libraries expect of a connection, on a Duplex over a Socket. All but the bytes.
import type * as net from 'node:net';
import { Duplex } from 'node:stream';
import type { InternetEndpoint } from '../base/endpoint.js';
import type { SocketControl } from '../engine/control.js';
import { controlOf, type Socket } from '../socket.js';
import { ActivityTimer } from './activity-timer.js';

/** The members of `net.Socket` that a {@link NetDuplex} has besides those of a `Duplex`. */
export interface NetMembers
  extends Pick<
    net.Socket,
    | 'address'
    | 'bytesRead'
    | 'bytesWritten'
    | 'connecting'
    | 'destroySoon'
    | 'localAddress'
    | 'localFamily'
    | 'localPort'
    | 'pending'
    | 'readyState'
    | 'remoteAddress'
    | 'remoteFamily'
    | 'remotePort'
    | 'timeout'
  > {
  setTimeout(timeout: number, listener?: () => void): this;
  setNoDelay(noDelay?: boolean): this;
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  ref(): this;
  unref(): this;
  resetAndDestroy(): this;
}

/** The states of a socket that is not connected yet. */
const DIALLING: ReadonlySet<string> = new Set(['idle', 'resolving', 'connecting']);

export abstract class NetDuplex extends Duplex implements NetMembers {
  connecting: boolean;
  /** The time limit of `setTimeout()`, in milliseconds. */
  timeout = 0;
  protected readonly socket: Socket;
  protected readonly control: SocketControl;
  readonly #timer: ActivityTimer;

  constructor(socket: Socket) {
    const control = controlOf(socket);
    // 'close' is emitted here, as in net.Socket: its listeners receive whether there was an error.
    super({ allowHalfOpen: socket.allowHalfOpen, highWaterMark: control.limits.highWaterMark, emitClose: false });
    this.socket = socket;
    this.control = control;
    this.connecting = DIALLING.has(socket.readyState);
    // As in Node, a write that goes on is activity.
    const meter = { read: () => control.progress.read() };
    this.#timer = new ActivityTimer(control.limits.scheduler, () => this.emit('timeout'), meter);
  }

  /** How many bytes wait in this stream and have not been written to the socket. */
  protected abstract get waiting(): number;

  /** Resets instead of sending FIN. */
  abstract resetAndDestroy(): this;

  /** The connection is open. Over TLS, the handshake begins now. */
  protected connected(): void {
    if (!this.connecting || this.destroyed) return;
    this.connecting = false;
    this.active();
    this.emit('connect');
    this.emit('ready');
  }

  /** Bytes were received or have left. */
  protected active(): void {
    this.#timer.touch();
  }

  /** The stream is destroyed: no event but `'error'` and `'close'` follows. */
  protected stop(): void {
    this.connecting = false;
    this.#timer.stop();
  }

  get pending(): boolean {
    return this.connecting || this.destroyed;
  }

  // Computed as in net.Socket.
  get readyState(): net.SocketReadyState {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  /** As in Node, this includes bytes that wait. */
  get bytesWritten(): number {
    return this.socket.bytesWritten + this.socket.writableLength + this.waiting;
  }

  get #local(): Partial<InternetEndpoint> {
    return (this.socket.local ?? {}) as Partial<InternetEndpoint>;
  }

  get #remote(): Partial<InternetEndpoint> {
    return (this.socket.remote ?? {}) as Partial<InternetEndpoint>;
  }

  // Node's types say that these are always defined. As in Node, they are not while the stream connects.
  get localAddress(): string {
    return this.#local.address as string;
  }

  get localPort(): number {
    return this.#local.port as number;
  }

  get localFamily(): string {
    return this.#local.family as string;
  }

  get remoteAddress(): string {
    return this.#remote.address as string;
  }

  get remotePort(): number {
    return this.#remote.port as number;
  }

  get remoteFamily(): string {
    return this.#remote.family as string;
  }

  address(): net.AddressInfo | object {
    const { address, family, port } = this.#local;
    return address === undefined || family === undefined || port === undefined ? {} : { address, family, port };
  }

  setTimeout(timeout: number, listener?: () => void): this {
    if (this.destroyed) return this;
    this.#timer.start(timeout);
    this.timeout = timeout;
    if (listener) {
      if (timeout > 0) this.once('timeout', listener);
      else this.off('timeout', listener);
    }
    return this;
  }

  setNoDelay(noDelay = true): this {
    this.control.tune({ noDelay });
    return this;
  }

  setKeepAlive(enable = false, initialDelay = 0): this {
    this.control.tune({ keepAlive: { enable, initialDelay } });
    return this;
  }

  ref(): this {
    this.control.tune({ ref: true });
    return this;
  }

  unref(): this {
    this.control.tune({ ref: false });
    return this;
  }

  /** Destroys the stream when everything was sent. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
}
