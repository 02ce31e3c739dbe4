// Removes the part files of this process, or keeps them to be resumed, when it exits and when a signal ends it.
import { rmSync } from 'node:fs';
import { keepPart } from './resume-part.js';

/** The signals that end a process by default and that people, service managers and closing terminals send. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens to `process` only while there are files. */
class ExitCleanup {
  /** Each file, and the name under which it is kept. `undefined`: it is removed. */
  readonly #files = new Map<string, string | undefined>();

  add(file: string, kept?: string): void {
    if (this.#files.size === 0) this.#listen();
    this.#files.set(file, kept);
  }

  delete(file: string): void {
    if (this.#files.delete(file) && this.#files.size === 0) this.#unlisten();
  }

  #listen(): void {
    // First in line: an earlier listener may throw, and a listener added with once() is no longer counted when it runs.
    process.prependListener('exit', this.#removeFiles);
    for (const signal of SIGNALS) process.prependListener(signal, this.#onSignal);
  }

  #unlisten(): void {
    process.removeListener('exit', this.#removeFiles);
    for (const signal of SIGNALS) process.removeListener(signal, this.#onSignal);
  }

  readonly #removeFiles = (): void => {
    for (const [file, kept] of this.#files) {
      try {
        if (kept === undefined) rmSync(file, { force: true });
        else keepPart(file, kept);
      } catch {
        // The process ends, so there is nobody to notify.
      }
    }
    this.#files.clear();
    this.#unlisten();
  };

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // If the application handles the signal, the transfers may continue. If it exits, the exit listener runs.
    if (process.listenerCount(signal) > 1 + signalExitListeners()) return;
    this.#removeFiles();
    // Without this listener the signal ends the process, as it would have done without saveTo().
    // Windows cannot raise SIGHUP; whatever is raised there ends the process in the same way.
    process.kill(process.pid, process.platform === 'win32' ? 'SIGTERM' : signal);
  };
}

/**
 * Returns how many listeners for each signal the package signal-exit has. Many packages use it. Like this module, it
 * raises a signal again unless it finds a listener that is not its own: without this exception, each would leave the
 * signal to the other, and nothing would end the process. These properties are those of its versions 3 and 4.
 */
function signalExitListeners(): number {
  const emitters = [
    Reflect.get(process, '__signal_exit_emitter__'),
    Reflect.get(globalThis, Symbol.for('signal-exit emitter')),
  ];
  return emitters.reduce<number>((sum, emitter) => sum + (Number((emitter as { count?: unknown })?.count) || 0), 0);
}

const KEY = Symbol.for('@rxsock/core exit cleanup');

/**
 * Returns the instance that all copies of this package in this process share. If each copy had its own, it would take
 * the listeners of the others for handlers of the application, and no copy would end the process.
 */
export function exitCleanup(): ExitCleanup {
  const shared = process as { [KEY]?: ExitCleanup };
  shared[KEY] ??= new ExitCleanup();
  return shared[KEY];
}
