// The events of singleInstance().
import type { Endpoint } from '../base/endpoint.js';

/** This process is the first instance. */
export interface AcquiredEvent {
  readonly type: 'acquired';
  /** The address on which it waits for later instances. */
  readonly address: Endpoint;
  /** Stops listening, so that another process can become the first instance. The Observable completes. */
  readonly release: () => void;
}

/** A later instance was started. It has delivered its arguments and its `singleInstance()` has failed. */
export interface LaunchEvent {
  readonly type: 'launch';
  /** The arguments of the later instance. */
  readonly args: readonly string[];
  /** Its working directory, to resolve relative paths among the arguments. */
  readonly cwd: string;
  /** Its process id. */
  readonly pid: number;
}

/** An event of {@link singleInstance}. */
export type InstanceEvent = AcquiredEvent | LaunchEvent;
