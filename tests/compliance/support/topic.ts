// A behaviour: a sentence that a user can read, what it needs of a transport, and how it is checked.
import type { Lab } from './lab.js';
import type { Need } from './transport.js';

interface Behaviour {
  readonly name: string;
  readonly needs: readonly Need[];
  check(lab: Lab): Promise<void> | void;
}

/** Behaviours that belong together. */
export interface Topic {
  readonly title: string;
  readonly behaviours: readonly Behaviour[];
}

/** Adds a behaviour, with its needs if two sockets are not enough. */
export interface AddBehaviour {
  (name: string, check: Behaviour['check']): void;
  (name: string, needs: readonly Need[], check: Behaviour['check']): void;
}

export function topic(title: string, describe: (behaviour: AddBehaviour) => void): Topic {
  const behaviours: Behaviour[] = [];
  describe((name: string, ...rest: [Behaviour['check']] | [readonly Need[], Behaviour['check']]) => {
    const [needs, check] = rest.length === 1 ? [[], rest[0]] : rest;
    behaviours.push({ name, needs, check });
  });
  return { title, behaviours };
}
