// Which Observables are the plain bytes of a socket, so that who stops reading in the middle of a chunk can give the
// rest back to it.
import type { Observable } from 'rxjs';

type GiveBack = (bytes: Uint8Array) => void;

const sources = new WeakMap<Observable<unknown>, GiveBack>();

/** Remembers where the unused bytes of `source` go. */
export function acceptsUnused(source: Observable<unknown>, giveBack: GiveBack): void {
  sources.set(source, giveBack);
}

/** Gives unused bytes back to where `source` has them from; without such a place they are lost. */
export function giveBack(source: Observable<unknown>, bytes: Uint8Array): void {
  sources.get(source)?.(bytes);
}
