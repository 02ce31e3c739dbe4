// What a test reports about itself to the reporter.

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
