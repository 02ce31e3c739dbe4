// Switches the engine's use of Node's internals off, so that tests also run the documented ways.
import { nodeInternals } from '@rxsock/core/internal';

/** Changes the switches. Returns a function that restores them. */
export function setNodeInternals(ways: Partial<typeof nodeInternals>): () => void {
  const before = { ...nodeInternals };
  Object.assign(nodeInternals, ways);
  return () => void Object.assign(nodeInternals, before);
}
