// The contract of backpressure: what can be held, and how a hold is released.

/** Releases one hold. Calling it again does nothing. Works with `using`. */
export interface Release extends Disposable {
  (): void;
}

/** A source that can be told to wait: a socket, a file that is being read, an operator with a queue. */
export interface Flow {
  /**
   * Stops the flow until the returned function is called. Holds are counted: the flow resumes when all are released.
   *
   * @param reason The name of the holder. `holds` and the message of a `holdTimeout` show it.
   */
  hold(reason?: string): Release;
  /** The reasons of the holds in force. Empty while the source flows. */
  readonly holds: readonly string[];
}
