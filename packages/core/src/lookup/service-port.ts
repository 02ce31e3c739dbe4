// servicePort(): the port of a service by its name, from the system's table of services.
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { SocketError } from '../base/errors.js';
import { SERVICES_FILE } from './services-file.js';

/** Options of {@link servicePort}. */
export interface ServicePortOptions {
  /** @defaultValue `'tcp'` */
  readonly protocol?: 'tcp' | 'udp';
  /** The file to look in. @defaultValue `/etc/services`, on Windows `%SystemRoot%\System32\drivers\etc\services` */
  readonly file?: string;
}

/** Ports by `name/protocol`. */
type Services = ReadonlyMap<string, number>;

/** What was read from each file. */
const tables = new Map<string, Promise<Services>>();

/**
 * The port of a service, by its name or one of its aliases, in their exact spelling: `await servicePort('smtp')` is 25.
 * `connect` and `listen` take such a name as their `port`.
 *
 * The file is read without blocking, once in the life of the process. Lines that are not well formed are skipped; of two
 * that name the same service the first one counts, as for the system.
 *
 * @throws TypeError at the call for a name that cannot be one: empty, digits only, with a blank, `#` or `/`. As a
 * rejection: {@link SocketError} `ERR_UNKNOWN_SERVICE` for a name that is not in the file; Node's code (`ENOENT`) where
 * the file cannot be read, which small container images do not have.
 * @see RFC 6335, services(5)
 *
 * @example
 * ```ts
 * import { servicePort } from '@rxsock/core';
 *
 * console.log(await servicePort('domain', { protocol: 'udp' })); // 53
 * ```
 */
export function servicePort(name: string, options: ServicePortOptions = {}): Promise<number> {
  const { protocol = 'tcp', file = SERVICES_FILE } = options;
  if (!isServiceName(name)) throw new TypeError(`Not the name of a service: ${inspect(name)}`);
  if (protocol !== 'tcp' && protocol !== 'udp')
    throw new TypeError(`protocol must be 'tcp' or 'udp', not ${inspect(protocol)}`);
  return find(name, protocol, file);
}

/** Whether this can be the name of a service: it has a letter, and nothing that separates the fields of the table. */
export function isServiceName(name: unknown): name is string {
  return typeof name === 'string' && /^[^\s#/]*[a-z][^\s#/]*$/i.test(name);
}

async function find(name: string, protocol: string, file: string): Promise<number> {
  const port = (await servicesOf(file)).get(`${name}/${protocol}`);
  if (port !== undefined) return port;
  const message = `There is no ${protocol} service ${inspect(name)} in ${file}: give the port as a number`;
  throw new SocketError(message, { code: 'ERR_UNKNOWN_SERVICE', phase: 'open' });
}

function servicesOf(file: string): Promise<Services> {
  let table = tables.get(file);
  if (!table) {
    table = read(file);
    tables.set(file, table);
    // A file that could not be read may be there the next time.
    table.catch(() => tables.delete(file));
  }
  return table;
}

async function read(file: string): Promise<Services> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const message = `Cannot read the table of services: ${cause.message}; give the port as a number`;
    throw new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause });
  }
}

// A line is `name port/protocol alias… # comment`.
function parse(text: string): Services {
  const services = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, where = '', ...aliases] = line.replace(/#.*/s, '').trim().split(/\s+/);
    const [, digits, protocol] = /^(\d{1,5})\/(\w+)$/.exec(where) ?? [];
    const port = Number(digits);
    if (!(port > 0 && port <= 65_535)) continue;
    for (const each of [name, ...aliases]) {
      const key = `${each}/${protocol}`;
      if (!services.has(key)) services.set(key, port);
    }
  }
  return services;
}
