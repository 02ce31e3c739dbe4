// What a client process of `budget` does.

export interface BudgetJob {
  /** The UNIX socket of the server that answers without end. */
  readonly path: string;
  /** The TCP port of the server that echoes. */
  readonly port: number;
  /** How many connections read slowly. */
  readonly connections: number;
  readonly echoes: number;
  readonly seed: number;
}
