// Records what a subscriber receives.
import type { Observable, Subscription } from 'rxjs';

export interface Recording<T> {
  readonly values: T[];
  /** The type of each event, or the value itself, then `complete` or `error:code`. */
  readonly log: string[];
  readonly subscription: Subscription;
  /** Resolves when the source ends. Never rejects. */
  readonly ended: Promise<{ readonly error?: unknown }>;
}

/** Subscribes and records all notifications. */
export function record<T>(source: Observable<T>): Recording<T> {
  const values: T[] = [];
  const log: string[] = [];
  let end: (how: { readonly error?: unknown }) => void;
  const ended = new Promise<{ readonly error?: unknown }>((resolve) => {
    end = resolve;
  });
  const subscription = source.subscribe({
    next: (value) => {
      values.push(value);
      log.push(nameOf(value));
    },
    error: (error) => {
      log.push(`error:${(error as { code?: string }).code ?? error}`);
      end({ error });
    },
    complete: () => {
      log.push('complete');
      end({});
    },
  });
  return { values, log, subscription, ended };
}

function nameOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === 'object' && value !== null && 'type' in value) return String(value.type);
  return String(value);
}
