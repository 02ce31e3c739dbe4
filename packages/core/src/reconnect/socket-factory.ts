// The function that makes sockets for reconnect() and connectionPool(). It is called once at construction, so that bad
// options throw where the user wrote them. The first dial uses that socket.
import { inspect, types } from 'node:util';
import { checkCopy } from '../base/copy.js';
import { controlOf, Socket } from '../socket.js';

export class SocketFactory {
  readonly #factory: () => Socket;
  /** The name of the function that was called, for messages. */
  readonly #caller: string;
  readonly #made = new WeakSet<Socket>();
  #first: Socket | undefined;
  /** What the last socket connects to, as messages name it. */
  target = '';

  constructor(factory: () => Socket, caller: string) {
    if (typeof factory !== 'function') {
      const given = inspect(factory, { depth: 0 });
      throw new TypeError(
        `${caller}() takes a function that returns a socket, not ${given}: ${caller}(() => connect({ port }))`,
      );
    }
    this.#factory = factory;
    this.#caller = caller;
    this.#first = this.#call();
  }

  /** Returns an unused socket. Throws what the user's function throws, and a TypeError if it returns no new socket. */
  make(): Socket {
    const socket = this.#first ?? this.#call();
    this.#first = undefined;
    return socket;
  }

  #call(): Socket {
    const caller = this.#caller;
    const factory = this.#factory;
    const socket: unknown = factory();
    const who = `The factory of ${caller}()`;
    if (!(socket instanceof Socket)) {
      checkCopy(socket);
      const returned = types.isPromise(socket) ? 'a promise' : inspect(socket, { depth: 0 });
      throw new TypeError(`${who} must return a socket, not ${returned}: ${caller}(() => connect({ port }))`);
    }
    if (socket.readyState === 'closed') {
      throw new TypeError(`${who} returned a closed socket: return a new one at each call`);
    }
    if (this.#made.has(socket)) {
      throw new TypeError(`${who} returned the same socket again: return a new one at each call`);
    }
    this.#made.add(socket);
    this.target = controlOf(socket).opening.scene.target;
    return socket;
  }
}
