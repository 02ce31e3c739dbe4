// Reads what the process sends to a page.
import { onTestFinished } from 'vitest';
import { type InspectOptions, type Inspector, inspect } from '../src/index.js';
import type { Snapshot } from '../src/messages.js';

/** Starts an inspector that is closed at the end of the test. */
export async function inspectHere(options: InspectOptions = {}): Promise<Inspector> {
  const inspector = await inspect(options);
  onTestFinished(() => inspector.close());
  return inspector;
}

/** The snapshots of one view, as they arrive. Leaving the loop closes the stream. */
export async function* snapshots(url: string, query = ''): AsyncGenerator<Snapshot> {
  for await (const text of messages(url, query)) {
    if (text.startsWith('data: ')) yield JSON.parse(text.slice('data: '.length)) as Snapshot;
  }
}

/** The messages of the stream as they are sent. */
export async function* messages(url: string, query = ''): AsyncGenerator<string> {
  const controller = new AbortController();
  const { body } = await fetch(`${url}events?${query}`, { signal: controller.signal });
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body!) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        yield text.slice(0, end);
        text = text.slice(end + 2);
      }
    }
  } finally {
    controller.abort();
  }
}

/** Returns the first snapshot for which the condition holds. */
export async function snapshotWhere(
  url: string,
  condition: (snapshot: Snapshot) => boolean,
  query = '',
): Promise<Snapshot> {
  for await (const snapshot of snapshots(url, query)) if (condition(snapshot)) return snapshot;
  throw new Error('The stream has ended');
}
