// sameValue(): the default comparison of frames in verifyCodec().
import { isDeepStrictEqual, types } from 'node:util';

/**
 * Compares two values like `isDeepStrictEqual`, with two exceptions at any depth: bytes are compared whatever their
 * class, so that a Buffer equals a Uint8Array; and an object without a prototype equals a plain object, because
 * arbitraries of fast-check generate both and most decoders return only plain objects.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (types.isUint8Array(a) && types.isUint8Array(b)) return Buffer.compare(a, b) === 0;
  return isDeepStrictEqual(normalize(a, new Map()), normalize(b, new Map()));
}

/** @param copies The copies made so far, because a value may contain itself. */
function normalize(value: unknown, copies: Map<object, object>): unknown {
  if (types.isUint8Array(value)) return Buffer.from(value);
  if (typeof value !== 'object' || value === null) return value;
  const isArray = Array.isArray(value);
  // Objects of other classes are compared as they are.
  if (!isArray && !isPlain(value)) return value;
  const known = copies.get(value);
  if (known) return known;
  const copy = isArray ? new Array(value.length) : {};
  copies.set(value, copy);
  for (const key of Reflect.ownKeys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if (!property.enumerable) continue;
    const copied = normalize(value[key as never], copies);
    // An assignment would set the prototype if the key is `__proto__`.
    Object.defineProperty(copy, key, { value: copied, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
