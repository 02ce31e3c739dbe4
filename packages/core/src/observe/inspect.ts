// What util.inspect shows of sockets, servers and the like: one line, and more if a depth is asked for.
import { type InspectOptions, inspect } from 'node:util';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import { NEXT_TURN } from '../base/turn-budget.js';

/** The properties that a line shows, of those that the subject has. */
interface Described {
  readonly id?: number;
  readonly name?: unknown;
  readonly type?: string;
  readonly readyState?: string;
  readonly address?: Endpoint | undefined;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly readableLength?: number;
  readonly writableLength?: number;
  readonly holds?: readonly string[];
}

/** What is special about a subject. */
export interface Details {
  /** Where it leads to while it has no remote end. */
  readonly target?: string | undefined;
  /** `server` turns the arrow round. */
  readonly role?: string | undefined;
  /** More facts for the line. */
  readonly facts?: readonly string[];
  /** What follows the line if a depth is asked for. */
  readonly more?: () => object;
}

/**
 * Returns what `[inspect.custom]()` of a socket, a server or the like returns. Never throws: a prototype, which is
 * inspected too, has none of the private fields.
 * @param kind The name of its class.
 * @param details Called only here.
 */
export function inspected(
  kind: string,
  subject: object,
  depth: number | null,
  options: InspectOptions,
  details: () => Details,
): string {
  try {
    const { more, ...about } = details();
    const line = lineOf(kind, subject, about);
    // By default, and inside of other objects, it is a line: the default depth would make it a page.
    const isAsked = options.depth !== inspect.defaultOptions.depth && (depth === null || depth > 0);
    return isAsked && more ? `${line} ${inspect(more(), { ...options, depth })}` : line;
  } catch {
    return `[${kind}]`;
  }
}

function lineOf(kind: string, subject: Described, { target, role, facts = [] }: Details): string {
  const { id, name, type, readyState, bytesRead, bytesWritten, readableLength, writableLength, holds = [] } = subject;
  const consumers = holds.filter((reason) => reason !== NEXT_TURN);
  const words = [
    kind,
    id !== undefined && `#${id}`,
    name !== undefined && name !== '' && inspect(name, { depth: 0, breakLength: Number.POSITIVE_INFINITY }),
    type,
    readyState,
    wayOf(subject, target, role),
  ];
  const all = [
    count(bytesRead, 'bytes read'),
    count(bytesWritten, 'bytes written'),
    count(readableLength, 'waiting to be read'),
    count(writableLength, 'waiting to be written'),
    ...facts,
    consumers.length > 0 && `held by ${consumers.join(', ')}`,
  ].filter((fact) => fact);
  return `${words.filter((word) => word).join(' ')}${all.length > 0 ? ` (${all.join(', ')})` : ''}`;
}

/** The ends of a socket, with an arrow in the direction in which it was opened. */
function wayOf({ address, local, remote }: Described, target: string | undefined, role: string | undefined): string {
  if (address) return nameOf(address);
  const to = remote ? nameOf(remote) : target;
  if (!to) return local ? nameOf(local) : '';
  return `${local ? `${nameOf(local)} ` : ''}${role === 'server' ? '←' : '→'} ${to}`;
}

const nameOf = (endpoint: Endpoint): string => formatEndpoint(endpoint) || '(no path)';

/** `1 socket`, `2 sockets`; `undefined` for none. */
function count(number: number | undefined, what: string): string | undefined {
  return number ? `${number.toLocaleString('en')} ${what}` : undefined;
}

/** A number of things: `1 socket`, `2 sockets`. */
export function plural(number: number, thing: string): string {
  return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`;
}
