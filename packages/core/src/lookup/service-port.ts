// servicePort(): the port of a service by its name, from the system's services file.
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { checkOneOf, checkOptions, checkString, typeError } from '../base/check.js';
import { SocketError } from '../base/errors.js';
import { SERVICES_FILE } from './services-file.js';

/** Options of {@link servicePort}. */
export interface ServicePortOptions {
  /** The transport protocol of the service. @defaultValue `'tcp'` */
  readonly protocol?: 'tcp' | 'udp' | undefined;
  /** The services file. @defaultValue `/etc/services`, on Windows `%SystemRoot%\System32\drivers\etc\services` */
  readonly file?: string | undefined;
}

/** Ports by `name/protocol`. */
type Services = ReadonlyMap<string, number>;

/** The parsed services of each file that was read. */
const cache = new Map<string, Promise<Services>>();

/**
 * Finds the port of a service by its name or an alias: `await servicePort('smtp')` is 25. Upper and lower case differ.
 * `connect` and `listen` also accept such a name as their `port`.
 *
 * The services file is read asynchronously, once per process. Malformed lines are skipped. If two lines name the same
 * service, the first one counts, as it does for the system.
 *
 * @param name The name of a service or an alias.
 * @returns Resolves to the port.
 * @throws At the call: TypeError if `name` is not a service name (it needs a letter, and has no white space, `#` or
 * `/`), or if `protocol` is not valid.
 * @throws As a rejection: {@link SocketError}: `ERR_UNKNOWN_SERVICE` if the file does not list the service; Node's
 * code, for example `ENOENT`, if the file cannot be read. Small container images do not have one.
 * @see RFC 6335, services(5)
 *
 * @example
 * ```ts
 * import { servicePort } from '@rxsock/core/lookup';
 *
 * console.log(await servicePort('domain', { protocol: 'udp' })); // 53
 * ```
 */
export function servicePort(name: string, options: ServicePortOptions = {}): Promise<number> {
  checkOptions(options, "{ protocol: 'udp' }");
  const { protocol = 'tcp', file = SERVICES_FILE } = options;
  if (!isServiceName(name))
    throw typeError('name', 'a service name, with a letter and without white space, # or /', name);
  checkOneOf('protocol', protocol, ['tcp', 'udp']);
  checkString('file', file, 'the path of a file');
  return find(name, protocol, file);
}

/** Returns whether this can be a service name: it has a letter, and no character that separates fields in the file. */
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
  let services = cache.get(file);
  if (!services) {
    services = readServices(file);
    cache.set(file, services);
    // A failure is not cached: the file may be readable the next time.
    services.catch(() => cache.delete(file));
  }
  return services;
}

async function readServices(file: string): Promise<Services> {
  try {
    return parseServices(await readFile(file, 'utf8'));
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const message = `Cannot read the services file: ${cause.message}; give the port as a number`;
    throw new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause });
  }
}

// A line is `name port/protocol alias… # comment`.
function parseServices(text: string): Services {
  const services = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, portAndProtocol = '', ...aliases] = line.replace(/#.*/s, '').trim().split(/\s+/);
    const [, digits, protocol] = /^(\d{1,5})\/(\w+)$/.exec(portAndProtocol) ?? [];
    const port = Number(digits);
    if (!(port > 0 && port <= 65_535)) continue;
    for (const each of [name, ...aliases]) {
      const key = `${each}/${protocol}`;
      if (!services.has(key)) services.set(key, port);
    }
  }
  return services;
}
