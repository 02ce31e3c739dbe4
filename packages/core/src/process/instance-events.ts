// What an instance of a program is told.
import type { Endpoint } from '../base/endpoint.js';
import type { Launch } from './instance-messages.js';

/** This is the first instance. */
export interface AcquiredEvent {
  readonly type: 'acquired';
  /** Where later instances find this one. */
  readonly address: Endpoint;
  /** Lets another instance be the first; the Observable completes. The same as to unsubscribe. */
  readonly release: () => void;
}

/** Another instance was started, and has ended with its arguments handed over. */
export interface LaunchEvent extends Launch {
  readonly type: 'launch';
  /** Its arguments, as it gave them. */
  readonly args: readonly string[];
  /** Its working directory, for paths among them that are relative. */
  readonly cwd: string;
  /** The number of its process. */
  readonly pid: number;
}

/** What `singleInstance` tells. */
export type InstanceEvent = AcquiredEvent | LaunchEvent;
