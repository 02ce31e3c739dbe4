// The attributes of the measurements: names of the OpenTelemetry semantic conventions where there are some.
import type { ConnectionRole } from '../observe/messages.js';
import type { Attributes } from './meter.js';

/** A socket, a server or a datagram socket. */
export interface Subject {
  readonly type: string;
}

/** TLS is carried by TCP. A stream that was given to `fromDuplex` may be carried by anything. */
const TRANSPORTS: Readonly<Record<string, string>> = { tcp: 'tcp', tls: 'tcp', unix: 'unix', udp: 'udp' };

const known = new Map<string, Attributes>();

/** The same object for the same type and role, so that it can be a key. */
export function attributesOf({ type }: Subject, role: ConnectionRole): Attributes {
  const key = `${type} ${role}`;
  let attributes = known.get(key);
  if (!attributes) {
    const transport = TRANSPORTS[type];
    attributes = {
      ...(transport && { 'network.transport': transport }),
      'rxsock.socket.type': type,
      ...(role && { 'rxsock.socket.role': role }),
    };
    known.set(key, attributes);
  }
  return attributes;
}

/** How many codes are told apart. The rest is `_OTHER`, as the conventions say: a stream may invent codes. */
const MOST_CODES = 64;

/** Returns `error.type` for codes, with a bound on their number. */
export function errorTypes(): (code: string) => string {
  const codes = new Set<string>();
  return (code) => {
    if (codes.size < MOST_CODES) codes.add(code);
    return codes.has(code) ? code : '_OTHER';
  };
}
