// ReconnectingSocket.eachConnection(): one pipeline for every connection, so that no framer glues the bytes of two together.
import { from, type ObservableInput, Subject } from 'rxjs';
import { FrameError, SocketError, SocketTimeoutError } from '../base/errors.js';
import { FlowSet } from '../flow/flow.js';
import { Flowable, FlowSubscriber, flowable } from '../flow/flowable.js';
import type { ReconnectEvent } from './reconnect-events.js';

/** The pipeline of one connection. */
interface Strand {
  readonly bytes: Subject<Buffer>;
  /** Whether its connection is over, or ended by the peer, and what it failed with. */
  end: { readonly error?: unknown } | undefined;
}

/** @param cut Aborts the connection that is open now. */
export function eachConnection<R>(
  link: Flowable<ReconnectEvent>,
  project: (bytes: Flowable<Buffer>) => ObservableInput<R>,
  cut: (reason: unknown) => void,
): Flowable<R> {
  return flowable((subscriber, join) => {
    const upstream = new FlowSet();
    let current: Strand | undefined;
    let running = 0;
    let end: { readonly error?: unknown } | undefined;

    // What a pipeline still holds back of a connection that is gone comes before the end.
    const conclude = () => {
      if (!end || running > 0) return;
      if ('error' in end) subscriber.error(end.error);
      else subscriber.complete();
    };
    const done = () => {
      running--;
      conclude();
    };
    const begin = () => {
      const strand: Strand = { bytes: new Subject(), end: undefined };
      current = strand;
      const results = new FlowSubscriber<R>(subscriber as never, {
        next: (result) => subscriber.next(result),
        error: (error) => {
          // What the connection failed with, and a frame that its end has cut, are no news.
          const own = strand.end?.error === error;
          if (!own && !isAboutBytes(error)) subscriber.error(error);
          else if (!strand.end) cut(error);
          done();
        },
        complete: done,
      });
      running++;
      from(project(new Flowable((reader) => strand.bytes.subscribe(reader), upstream))).subscribe(results);
    };
    const finish = (error?: unknown) => {
      if (!current || current.end) return;
      current.end = { error };
      if (error) current.bytes.error(error);
      else current.bytes.complete();
    };

    join(upstream);
    link.subscribe(
      new FlowSubscriber<ReconnectEvent>(
        subscriber as never,
        {
          next: (event) => {
            if (event.type === 'connect') begin();
            else if (event.type === 'data') current?.bytes.next(event.data);
            else if (event.type === 'end') finish();
            else if (event.type === 'disconnect') finish(event.error ?? prematureClose());
          },
          error: (error) => {
            finish(error);
            end = { error };
            conclude();
          },
          complete: () => {
            finish(prematureClose());
            end = {};
            conclude();
          },
        },
        upstream,
      ),
    );
  });
}

/** Whether the bytes make no sense: the next connection may bring better ones. */
function isAboutBytes(error: unknown): boolean {
  if (error instanceof SocketTimeoutError) return error.timeout === 'frameTimeout';
  return error instanceof FrameError && error.phase === 'read';
}

function prematureClose(): SocketError {
  const options = { code: 'ERR_STREAM_PREMATURE_CLOSE', phase: 'read' } as const;
  return new SocketError('The connection closed before the peer had ended its side', options);
}
