// The types of what --json writes.
import type { Reached } from './goals.js';
import type { Growth } from './growth/run.js';
import type { Host } from './host.js';
import type { Machine } from './machine.js';
import type { Outcomes } from './run.js';
import type { Unit } from './scenario.js';
import type { PackageSize } from './size.js';

/** What a scenario gave. */
export interface ScenarioResult extends Outcomes {
  readonly name: string;
  readonly about: string;
  /** How much one measurement did: bytes, round trips, or what the scenario counts. */
  readonly amount: number;
  readonly rate: Unit;
  readonly cost: Unit;
  readonly goals: readonly Reached[];
}

export interface Results extends Machine {
  /** The runtime of the contenders. */
  readonly host: Omit<Host, 'path'>;
  readonly rounds: number;
  readonly scale: number;
  readonly scenarios: ScenarioResult[];
  readonly growth: Growth[];
  readonly sizes: PackageSize[];
}
