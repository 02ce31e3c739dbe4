// The end of every run: holds are released, the other end reads on, everybody leaves, and nothing may be left behind.
import type { ConnectionModel } from './connection-model.js';
import type { ModelledConnection } from './modelled-connection.js';
import { LAWS } from './socket-laws.js';

export async function finish(model: ConnectionModel, real: ModelledConnection): Promise<void> {
  const { near, verdict, given } = real;
  if (!model.used) return;
  verdict.story.push('at the end, everything is released and everybody leaves');
  while (model.holds > 0) {
    model.holds--;
    real.release();
  }
  real.far?.resume();
  model.stalled = false;
  await real.settle(model);
  // Bytes that nobody has read yet wait for the next reader.
  const waits = model.over === 'whole' || model.farReset || !model.closing;
  if (!model.reader && waits && !model.dropping) {
    real.read(model, 'events');
    await real.settle(model);
  }
  if (model.reader) real.leave(model);
  if (model.watcher) {
    model.watcher = false;
    real.unwatch();
  }
  if (!model.over && !model.farReset && !model.farEnded) {
    model.farEnded = true;
    real.far?.end();
  }
  if (!model.over && !model.completed) model.close();
  if (!model.over) real.close();
  const isClosed = await real.eventually(() => near.readyState === 'closed');
  if (!isClosed) verdict.report(LAWS.leaving, 'a closed socket', near.readyState);
  if (near.holds.length > 0) verdict.report(LAWS.nothingLeft, 'no hold', near.holds.join(', '));
  if (!(await real.eventually(() => real.pendingWrites === 0)))
    verdict.report(LAWS.writes, 'every write() settled', `${real.pendingWrites} pending`);
  const { clock } = given;
  const timers = () => clock?.actions.length ?? 0;
  if (!(await real.eventually(() => timers() === 0)))
    verdict.report(LAWS.nothingLeft, 'no timer', `${timers()} timers`);
  verdict.check();
}
