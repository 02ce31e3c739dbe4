// A watcher of a modelled connection: it keeps the socket open, reads nothing, and notes what it is told.
import { Subscription } from 'rxjs';
import { on } from '../../operators/on.js';
import type { Socket } from '../../socket.js';

export class Watcher {
  /** Whether it was told of the peer's FIN. */
  ended = false;
  /** Whether it was told that the socket is over. */
  closed = false;
  drained = 0;
  #onDrain: (() => void) | undefined;
  readonly #subscription = new Subscription();

  constructor(socket: Socket) {
    const over = () => {
      this.closed = true;
    };
    const ignore = () => {};
    this.#subscription.add(socket.pipe(on('close')).subscribe({ error: over, complete: over }));
    this.#subscription.add(
      socket.pipe(on('drain')).subscribe({
        next: () => {
          this.drained++;
          this.#onDrain?.();
        },
        error: ignore,
      }),
    );
    this.#subscription.add(
      socket.pipe(on('end')).subscribe({
        next: () => {
          this.ended = true;
        },
        error: ignore,
      }),
    );
  }

  /** Calls `listener` at every drain. The returned function removes it. */
  onDrain(listener: () => void): () => void {
    this.#onDrain = listener;
    return () => {
      this.#onDrain = undefined;
    };
  }

  leave(): void {
    this.#subscription.unsubscribe();
  }
}
