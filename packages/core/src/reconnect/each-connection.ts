// ReconnectingSocket.eachConnection(): a new pipeline for every connection, so that no decoder joins the bytes of two.
import { from, type ObservableInput, Subject } from 'rxjs';
import { ContextSubscriber } from '../base/async-context.js';
import { FrameError, SocketTimeoutError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { closedBeforeEndError, prematureCloseError } from '../base/premature-close.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Flowable, flowable } from '../flow/flowable.js';
import type { ReconnectEvent } from './reconnect-events.js';

/** The bytes of one connection. */
interface ConnectionBytes {
  readonly subject: Subject<Buffer>;
  /** Set when no more bytes come: after the peer's FIN, or with the error of the connection. */
  end: { readonly error?: unknown } | undefined;
}

/**
 * @param project Makes the pipeline of one connection.
 * @param abortConnection Aborts the connection that is open now.
 */
export function eachConnection<R>(
  events: Flowable<ReconnectEvent>,
  project: (bytes: Flowable<Buffer>) => ObservableInput<R>,
  abortConnection: (reason: unknown) => void,
): Flowable<R> {
  return flowable((subscriber, join) => {
    const upstream = new FlowSet();
    let current: ConnectionBytes | undefined;
    let running = 0;
    let end: { readonly error?: unknown } | undefined;

    // A held pipeline may still have frames of a connection that is gone: they are emitted before the end. An error of
    // this side does not wait for them.
    const endIfDone = () => {
      if (!end || (running > 0 && !isLocalDecision(end.error))) return;
      if ('error' in end) subscriber.error(end.error);
      else subscriber.complete();
    };
    const pipelineDone = () => {
      running--;
      endIfDone();
    };
    const startPipeline = () => {
      const bytes: ConnectionBytes = { subject: new Subject(), end: undefined };
      current = bytes;
      const results = new FlowSubscriber<R>(subscriber as never, {
        next: (result) => subscriber.next(result),
        error: (error) => {
          // The error of the connection is not passed on, and neither is a frame that its end has cut: both follow from
          // the end of the connection, which is a `disconnect` event.
          const isFromConnection = bytes.end?.error === error;
          if (!isFromConnection && !isDecodeError(error)) subscriber.error(error);
          else if (!bytes.end) abortConnection(error);
          pipelineDone();
        },
        complete: pipelineDone,
      });
      running++;
      from(
        project(new Flowable((reader) => bytes.subject.subscribe(new ContextSubscriber(reader)), upstream)),
      ).subscribe(results);
    };
    const endBytes = (error?: unknown) => {
      if (!current || current.end) return;
      current.end = { error };
      if (error) current.subject.error(error);
      else current.subject.complete();
    };

    join(upstream);
    events.subscribe(
      new FlowSubscriber<ReconnectEvent>(
        subscriber as never,
        {
          next: (event) => {
            if (event.type === 'connect') startPipeline();
            else if (event.type === 'data') current?.subject.next(event.data);
            else if (event.type === 'end') endBytes();
            else if (event.type === 'disconnect') endBytes(event.error ?? closedBeforeEndError(event.report));
          },
          error: (error) => {
            endBytes(error);
            end = { error };
            endIfDone();
          },
          complete: () => {
            endBytes(prematureCloseError('read'));
            end = {};
            endIfDone();
          },
        },
        upstream,
      ),
    );
  });
}

/** Whether the bytes of this connection cannot be decoded, or come too late. Those of the next one may be good. */
function isDecodeError(error: unknown): boolean {
  if (error instanceof SocketTimeoutError) return error.timeout === 'frameTimeout';
  return error instanceof FrameError && error.phase === 'read';
}
