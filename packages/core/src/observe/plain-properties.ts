// The state of a socket or a server as a plain object.
import { inspect } from 'node:util';

const PROPERTIES = [
  'id',
  'name',
  'type',
  'readyState',
  'address',
  'local',
  'remote',
  'bytesRead',
  'bytesWritten',
  'readableLength',
  'writableLength',
  'openedAt',
  'lastReadAt',
  'lastWriteAt',
  'report',
  'holds',
  'holders',
  'mark',
];

/** Returns a copy of the properties that have a value, as JSON represents them. */
export function plainProperties(source: object): Record<string, unknown> {
  const entries = PROPERTIES.map((property) => [property, toPlainValue((source as Record<string, unknown>)[property])]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Returns a copy of the value as JSON represents it, or its description if JSON cannot represent it. */
function toPlainValue(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // A circular object, a BigInt, or a toJSON() that throws: described below.
  }
  return value === undefined ? undefined : inspect(value, { customInspect: false });
}
