// The messages of PostgreSQL for a client with simple queries.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
import { type HeaderFrame, lengthPrefixedCodec, mapCodec } from '@rxsock/core';

/** A row: the text of each column, or null. */
export type Row = readonly (string | null)[];

/** The fields of an error or a notice by their letters: `C` is the code, `M` the message, `S` the severity. */
export type Fields = Readonly<Record<string, string>>;

/** What the server sends. */
export type ServerMessage =
  | { readonly type: 'authentication'; readonly method: number; readonly data: Buffer }
  /** What a CancelRequest must name. */
  | { readonly type: 'backendKey'; readonly key: Buffer }
  | { readonly type: 'columns'; readonly names: readonly string[] }
  | { readonly type: 'row'; readonly row: Row }
  | { readonly type: 'complete'; readonly tag: string }
  | { readonly type: 'error' | 'notice'; readonly fields: Fields }
  | { readonly type: 'parameter'; readonly name: string; readonly value: string }
  | { readonly type: 'notification'; readonly channel: string; readonly payload: string }
  /** The server waits for the next query. `status` is `I`, or in a transaction `T`, or in a failed one `E`. */
  | { readonly type: 'ready'; readonly status: string };

/** What the client sends, after {@link startup}. */
export type ClientMessage =
  | { readonly type: 'query'; readonly sql: string }
  | { readonly type: 'password'; readonly data: Buffer | string };

export const postgresCodec = mapCodec(
  lengthPrefixedCodec({ lengthField: 4, offset: 1, adjustment: -4, header: true, maxLength: 64 * 1024 * 1024 }),
  { decode: decodeMessage, encode: encodeMessage },
);

/** The first message of a connection: it has no type. */
export function startup(user: string, database: string): Buffer {
  const parameters = ['user', user, 'database', database, 'client_encoding', 'UTF8'].map(zeroTerminated);
  return withLength(Buffer.concat([int32(0x0003_0000), ...parameters, Buffer.of(0)]));
}

/** The only message of a connection that cancels the query of another one. */
export function cancelRequest(key: Buffer): Buffer {
  return withLength(Buffer.concat([int32(80_877_102), key]));
}

function decodeMessage({ header, payload }: HeaderFrame): ServerMessage | ClientMessage | undefined {
  const type = header.toString('latin1');
  switch (type) {
    case 'D':
      return { type: 'row', row: readRow(payload) };
    case 'T':
      return { type: 'columns', names: readColumns(payload) };
    case 'C':
      return { type: 'complete', tag: readStrings(payload, 1)[0]! };
    case 'Z':
      return { type: 'ready', status: payload.toString('latin1') };
    case 'E':
    case 'N':
      return { type: type === 'E' ? 'error' : 'notice', fields: readFields(payload) };
    case 'R':
      return { type: 'authentication', method: payload.readInt32BE(), data: payload.subarray(4) };
    case 'K':
      return { type: 'backendKey', key: payload };
    case 'S': {
      const [name, value] = readStrings(payload, 2);
      return { type: 'parameter', name: name!, value: value! };
    }
    case 'A': {
      const [channel, message] = readStrings(payload.subarray(4), 2);
      return { type: 'notification', channel: channel!, payload: message! };
    }
    case 'I': // the answer to an empty query
      return undefined;
    default: // among them those of COPY, which would wait for data that never comes
      throw new Error(`Messages of the type ${JSON.stringify(type)} are not supported`);
  }
}

function encodeMessage(message: ServerMessage | ClientMessage): { header: string; payload: string | Buffer } {
  if (message.type === 'query') return { header: 'Q', payload: zeroTerminated(message.sql) };
  if (message.type === 'password') return { header: 'p', payload: message.data };
  throw new TypeError(`Only a server sends ${message.type}`);
}

function readRow(payload: Buffer): Row {
  const row: (string | null)[] = new Array(payload.readUInt16BE());
  let at = 2;
  for (let i = 0; i < row.length; i++) {
    const length = payload.readInt32BE(at);
    at += 4;
    if (length < -1) throw new Error(`A column cannot have ${length} bytes`);
    row[i] = length === -1 ? null : payload.toString('utf8', at, at + length);
    at += Math.max(length, 0);
  }
  if (at !== payload.length) throw new Error('The columns of a row do not fill it');
  return row;
}

function readColumns(payload: Buffer): string[] {
  let at = 2;
  return Array.from({ length: payload.readUInt16BE() }, () => {
    const name = payload.toString('utf8', at, payload.indexOf(0, at));
    at += Buffer.byteLength(name) + 19; // its zero byte, and six numbers about the column
    return name;
  });
}

/** Reads letters, each followed by a string, up to a zero byte. */
function readFields(payload: Buffer): Fields {
  const fields = payload.toString('utf8').split('\0').slice(0, -2);
  return Object.fromEntries(fields.map((field) => [field[0]!, field.slice(1)]));
}

function readStrings(payload: Buffer, count: number): string[] {
  const strings = payload.toString('utf8').split('\0');
  if (strings.length !== count + 1 || strings.pop() !== '') throw new Error(`The message must have ${count} strings`);
  return strings;
}

function zeroTerminated(text: string): Buffer {
  if (text.includes('\0')) throw new Error('A string of PostgreSQL cannot hold a zero byte');
  return Buffer.from(`${text}\0`);
}

function withLength(payload: Buffer): Buffer {
  return Buffer.concat([int32(payload.length + 4), payload]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
