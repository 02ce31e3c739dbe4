// A client of PostgreSQL: rows as they come, a cancel when you leave, and a new login after a restart of the server.
import { connect, exchange, framed, type ReconnectEvent, reconnect, type Socket, through } from '@rxsock/core';
import { defer, filter, finalize, from, lastValueFrom, map, type Observable, of, switchMap, tap } from 'rxjs';
import { cancelRequest, postgresCodec, type Row } from '../codecs/postgres.js';
import { type LoginOptions, logIn, PostgresError } from '../codecs/postgres-login.js';

export interface PostgresOptions extends LoginOptions {
  readonly host: string;
  readonly port: number;
  readonly signal?: AbortSignal;
}

/** Connects, and connects again. A query is sent once: if its connection fails, so does the query. */
export function postgres(options: PostgresOptions) {
  const { host, port, signal } = options;
  const link = reconnect(() => connect({ host, port }), {
    setup: (socket) => logIn(socket, options),
    // A server that is starting, or full, lets us in later. It will not like a wrong password then.
    shouldRetry: (error) => !(error?.cause instanceof PostgresError) || /^(53|57)/.test(error.cause.code),
    backoff: { initial: 50, max: 2_000 },
    signal,
  });
  const rpc = exchange(framed(link, postgresCodec), {
    isPush: ({ type }) => ['notice', 'notification', 'parameter'].includes(type),
    isLast: ({ type }) => type === 'ready',
    timeout: Number.POSITIVE_INFINITY, // a query may take long
  });
  /** Queries take turns, because a CancelRequest that comes late would cancel the next one. */
  let turn: Promise<unknown> = Promise.resolve();

  /** Emits the rows, and fails with what the server says about this query. If you leave, the server stops working. */
  function query(sql: string): Observable<Row> {
    return defer(() => {
      const before = turn;
      let failure: PostgresError | undefined;
      let cancelled: Promise<unknown> | undefined;
      let end: (ended: unknown) => void;
      turn = new Promise((resolve) => {
        end = resolve;
      });
      return from(before).pipe(
        switchMap(() =>
          rpc.request({ type: 'query', sql }).pipe(
            tap({
              next: (message) => {
                if (message.type === 'error') failure = new PostgresError(message.fields);
              },
              error: (error) => {
                throw failure ?? error;
              },
              complete: () => {
                if (failure) throw failure;
              },
              unsubscribe: () => {
                cancelled = cancel(link.socket);
              },
            }),
          ),
        ),
        filter((message) => message.type === 'row'),
        map(({ row }) => row),
        // Later, when all of the above have left.
        finalize(() => queueMicrotask(() => end(cancelled ?? before))),
      );
    });
  }

  /** Lets the server cancel what it does for a connection. Resolves when it will not cancel anything after that. */
  async function cancel(socket: Socket | undefined): Promise<void> {
    if (!socket?.mark) return; // no query was sent
    const request = of(cancelRequest(socket.mark as Buffer));
    const answer = request.pipe(through(connect({ host, port, idleTimeout: 5_000 }), { end: false }));
    await lastValueFrom(answer, { defaultValue: undefined }).catch((error) => socket.error(error));
  }

  return { query, notices: rpc.unsolicited, events: link as Observable<ReconnectEvent>, close: () => link.close() };
}
