// A transporter of NestJS over rxsock: each packet is a line of JSON, over TCP, TLS or a UNIX socket.
import { BaseRpcContext, ClientProxy, type CustomTransportStrategy, Server } from '@nestjs/microservices';
import * as rxsock from '@rxsock/core';
import { catchError, defer, endWith, from, ignoreElements, map, type Observable, of, switchAll } from 'rxjs';

/** A request or an event, or a part of the reply. Only an event has no `id`. */
interface Packet {
  readonly id?: string;
  readonly pattern?: unknown;
  readonly data?: unknown;
  readonly response?: unknown;
  readonly err?: unknown;
  readonly isDisposed?: boolean;
}

const packets = rxsock.jsonLinesCodec<Packet>({ maxLength: 1_048_576, trailing: 'error' });

/** Answers packets. Pass it a server that nobody has subscribed to: `new RxsockServer(listen({ port: 7000 }))`. */
export class RxsockServer extends Server implements CustomTransportStrategy {
  readonly #server: rxsock.Server<rxsock.Endpoint>;

  constructor(server: rxsock.Server<rxsock.Endpoint>) {
    super();
    this.#server = server;
  }

  listen(callback: (error?: unknown) => void): void {
    const answers = (socket: rxsock.Socket) =>
      socket.pipe(
        rxsock.data(),
        rxsock.decode(packets),
        // While 16 requests of a connection are at work, its peer has to wait.
        rxsock.mapWithBackpressure((packet) => this.#answer(packet), { concurrency: 16, ordered: false }),
        rxsock.encode(packets),
      );
    this.#server.pipe(rxsock.serve(answers)).subscribe({
      next: (event) => {
        if (event.type === 'listening') callback();
        if (event.type === 'connectionError') this.logger.warn(event.error);
      },
      error: callback,
    });
  }

  close(): Promise<void> {
    return this.#server.close({ drain: 10_000 });
  }

  on(): void {
    throw new Error('use unwrap(): the server is an Observable of its events');
  }

  unwrap<T>(): T {
    return this.#server as T;
  }

  #answer(packet: Packet): Observable<Packet> {
    const { id, pattern, data }: Packet = Object(packet); // nothing has checked that a peer sends objects
    const route = this.getPatternAsString(pattern);
    const context = new BaseRpcContext([route]);
    if (id === undefined) return from(this.handleEvent(route, { pattern, data }, context)).pipe(ignoreElements());
    const handler = this.getHandlerByPattern(route);
    if (!handler) return of({ id, err: `nobody handles ${route}`, isDisposed: true });
    return defer(async () => this.transformToObservable(await handler(data, context))).pipe(
      switchAll(),
      map((response) => ({ id, response })),
      endWith({ id, isDisposed: true }),
      catchError((err) => of({ id, err, isDisposed: true })),
    );
  }
}

/** Sends packets, over one connection that comes back when it is lost: `new RxsockClient(() => connect({ port }))`. */
export class RxsockClient extends ClientProxy {
  readonly #connection: rxsock.ReconnectingSocket;
  readonly #messages;
  readonly #exchange;

  constructor(dial: () => rxsock.Socket) {
    super();
    this.#connection = rxsock.reconnect(dial);
    this.#messages = rxsock.framed(this.#connection, packets);
    this.#exchange = rxsock.exchange(this.#messages, {
      key: ({ id }) => id,
      isLast: ({ isDisposed }) => isDisposed === true,
    });
  }

  /** The first packet dials. */
  async connect(): Promise<void> {}

  close(): Promise<void> {
    return this.#connection.close();
  }

  unwrap<T>(): T {
    return this.#connection as T;
  }

  protected publish(packet: { pattern: unknown; data: unknown }, callback: (part: Packet) => void): () => void {
    const reply = this.#exchange.request(this.assignPacketId(packet));
    const subscription = reply.subscribe({ next: callback, error: (err) => callback({ err, isDisposed: true }) });
    return () => subscription.unsubscribe();
  }

  protected dispatchEvent<T>(packet: { pattern: unknown; data: unknown }): Promise<T> {
    return this.#messages.write(packet) as Promise<T>;
  }
}
