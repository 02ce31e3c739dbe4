// Process warnings, recorded and not printed until the test is over.
import { type MockInstance, onTestFinished, vi } from 'vitest';
import { losses } from '../../src/engine/unnoticed-loss.js';

/** Records the warnings. No connection has lost bytes before, so a loss is reported. */
export function watchWarnings(): MockInstance<typeof process.emitWarning> {
  losses.clear();
  const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue();
  onTestFinished(() => warnings.mockRestore());
  return warnings;
}
