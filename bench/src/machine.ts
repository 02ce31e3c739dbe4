// What a run was measured on.
import os from 'node:os';

export interface Machine {
  /** When the run began: an ISO date. */
  readonly date: string;
  /** The version of Node, which runs the peers. */
  readonly node: string;
  /** The operating system. */
  readonly system: string;
  readonly cpu: string;
  readonly cpus: number;
  /** In bytes. */
  readonly memory: number;
  /** The settings of glibc's memory that the README names. */
  readonly malloc: Readonly<Record<string, string | undefined>>;
}

export function machine(): Machine {
  const { MALLOC_TRIM_THRESHOLD_, MALLOC_TOP_PAD_ } = process.env;
  return {
    date: new Date().toISOString(),
    node: process.version,
    system: `${os.platform()} ${os.release()}`,
    cpu: os.cpus()[0]?.model ?? 'unknown CPU',
    cpus: os.cpus().length,
    memory: os.totalmem(),
    malloc: { MALLOC_TRIM_THRESHOLD_, MALLOC_TOP_PAD_ },
  };
}
