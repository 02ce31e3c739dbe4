// Whether something is still referred to.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { turns } from './turns.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage until the object is gone, but not for ever. */
export async function garbageCollected(object: WeakRef<object>): Promise<boolean> {
  for (let round = 0; object.deref() && round < 20; round++) {
    await turns(5);
    collect();
  }
  return object.deref() === undefined;
}
