// Two copies of this package in one program: a bundle beside node_modules, or a sibling that was installed with another
// version. Each copy has its own classes, so that it neither knows the sockets of the other one nor can hold them. Every
// object that only its own copy can use is marked with that copy, and the others refuse it with an error that names both.
import { fileURLToPath } from 'node:url';

/** The version of this package. A test compares it with package.json. */
export const VERSION = '0.1.0';

interface Copy {
  readonly version: string;
  readonly url: string | undefined;
}

/** The property that names the copy. It has to be the same in all copies and versions. */
const COPY = Symbol.for('@rxsock/core copy');

const thisCopy: Copy = { version: VERSION, url: import.meta.url };

/** Marks the instances of a class as objects of this copy. */
export function markCopy(prototype: object): void {
  Object.defineProperty(prototype, COPY, { value: thisCopy });
}

/** Throws a TypeError that names both copies if `value` belongs to another copy of this package. */
export function checkCopy(value: unknown): void {
  const message = describeOtherCopy(value);
  if (message) throw new TypeError(message);
}

/** Names both copies if `value` belongs to another copy of this package. Otherwise returns `undefined`. */
export function describeOtherCopy(value: unknown): string | undefined {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const copy = isObject ? (value as { readonly [COPY]?: Copy })[COPY] : undefined;
  if (!copy || copy === thisCopy) return undefined;
  const copies = `It is of ${describe(copy)}, and is used with ${describe(thisCopy)}`;
  return `Two copies of @rxsock/core cannot use each other's objects. ${copies}. See: npm ls @rxsock/core`;
}

function describe({ version, url }: Copy): string {
  return `version ${version} in ${folderOf(url)}`;
}

/** The folder of the package that a file belongs to. A bundler leaves no URL, or that of the bundle. */
function folderOf(url: string | undefined): string {
  const path = url?.startsWith('file:') ? fileURLToPath(url) : (url ?? 'a bundle');
  return path.replace(/[\\/](dist|src)[\\/].*$/, '');
}
