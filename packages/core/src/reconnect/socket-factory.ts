// A function that makes sockets, tried out at once: connect() refuses bad options where it is called, and dials later.
import { types } from 'node:util';
import { Socket } from '../socket.js';

export class SocketFactory {
  readonly #make: () => Socket;
  readonly #given = new WeakSet<Socket>();
  #first: Socket | undefined;

  /** @param caller Who takes the function, for messages. */
  constructor(make: () => Socket, caller: string) {
    const wanted = `${caller} takes a function that makes a socket: ${caller}(() => connect({ port }))`;
    if (typeof make !== 'function') throw new TypeError(wanted);
    this.#make = () => {
      const socket: unknown = make();
      if (!(socket instanceof Socket)) {
        throw new TypeError(types.isPromise(socket) ? `${wanted}, not a promise of one` : wanted);
      }
      if (socket.readyState === 'closed') {
        throw new TypeError(`${caller} was given a socket that is closed: make a new one at each call`);
      }
      if (this.#given.has(socket)) {
        throw new TypeError(`${caller} was given the same socket once more: make a new one at each call`);
      }
      this.#given.add(socket);
      return socket;
    };
    this.#first = this.#make();
  }

  /** A socket that nobody has used. Throws what the function throws. */
  make(): Socket {
    const socket = this.#first ?? this.#make();
    this.#first = undefined;
    return socket;
  }
}
