// What a test tells the reporter of itself.

/** A cell of the table. */
export interface Compliance {
  readonly transport: string;
  readonly topic: string;
  readonly behaviour: string;
}

declare module 'vitest' {
  interface TaskMeta {
    compliance?: Compliance;
  }
}
