// Which Observables are the plain bytes of a socket, so that who stops reading in the middle of a chunk can give the
// rest back to it.
import type { Observable, Subscriber } from 'rxjs';

type Reader = Subscriber<unknown>;
type GiveBack = (bytes: Uint8Array, by: Reader) => void;

/** How a socket takes bytes back: from one of its subscribers, or from nobody it knows. */
export const takeBack = Symbol('takeBack');

/** What takes bytes back. */
export interface TakesBack {
  [takeBack](bytes: Uint8Array, by: Reader | undefined): void;
}

const sources = new WeakMap<Observable<unknown>, GiveBack>();

/** Remembers where the unused bytes of `source` go. */
export function acceptsUnused(source: Observable<unknown>, giveBack: GiveBack): void {
  sources.set(source, giveBack);
}

/**
 * Gives unused bytes back to where `source` has them from; without such a place they are lost.
 * @param by Who was subscribed to `source`, and got them.
 */
export function giveBack(source: Observable<unknown>, bytes: Uint8Array, by: Reader): void {
  sources.get(source)?.(bytes, by);
}
