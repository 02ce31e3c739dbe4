// What a PROXY header says: the two ends of the connection that a proxy has accepted, before it made this one.
import type { Endpoint } from '../base/endpoint.js';

/** A field of a PROXY header, version 2: its type, from 0 to 255, and its value. */
export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** What a PROXY header says. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** The client of the proxy; `undefined` if the proxy has connected on its own account, for example to check health. */
  readonly source: Endpoint | undefined;
  /** Where that client has connected to. */
  readonly destination: Endpoint | undefined;
  /** More fields, such as the server name of TLS. Version 1 has none. */
  readonly tlvs: readonly ProxyTlv[];
}

/** What a proxy has said about a connection: see {@link Socket.proxied}. */
export interface Proxied extends ProxyHeader {
  /** The proxy's own end. */
  readonly proxy: Endpoint | undefined;
}

/** A whole header, or how many bytes are needed before it is worth another look. */
export type ParsedHeader = { readonly header: ProxyHeader; readonly length: number } | { readonly atLeast: number };
