// Which Observables are the bytes of one connection after another, so that who makes frames of them begins anew with each.
import type { Observable } from 'rxjs';

/** Marks what makes one connection after another. */
export const spans = Symbol('spans');

/** What makes one connection after another. */
export interface Spans {
  readonly [spans]: true;
  eachConnection<R>(project: (bytes: Observable<Buffer>) => Observable<R>): Observable<R>;
}

const sources = new WeakMap<Observable<unknown>, Spans>();

/** The bytes of all connections of `source`, if it makes one after another. */
export function spanning(source: Observable<unknown>): Observable<Buffer> | undefined {
  if (!isSpanning(source)) return undefined;
  const bytes = source.eachConnection((each) => each);
  sources.set(bytes, source);
  return bytes;
}

function isSpanning(source: Observable<unknown>): source is Observable<unknown> & Spans {
  return spans in source;
}

/** Runs an operator on the bytes of each connection by itself, where `bytes` are those of several. */
export function forEachConnection<R>(
  bytes: Observable<unknown>,
  operator: (bytes: Observable<Uint8Array>) => Observable<R>,
): Observable<R> | undefined {
  return sources.get(bytes)?.eachConnection(operator);
}
