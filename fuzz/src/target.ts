// What a fuzz target is.

/** Checks one input. The targets of sockets keep them open between two inputs. */
export interface Target {
  /** Throws if the library does something wrong with this input. */
  fuzz(input: Uint8Array): void | Promise<void>;
  /** Closes what is open. */
  close?(): Promise<void>;
}
