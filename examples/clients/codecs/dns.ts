// Questions and answers of DNS: https://www.rfc-editor.org/rfc/rfc1035#section-4.1

/** The types of records that it reads. */
export const recordTypes = { A: 1, CNAME: 5, TXT: 16, AAAA: 28 } as const;
export type RecordType = keyof typeof recordTypes;

export interface DnsAnswer {
  readonly id: number;
  /** 0, or an error: 3 if there is no such name, 5 if the question was refused. */
  readonly code: number;
  /** Whether the answer was cut to fit into a datagram: ask again over TCP. */
  readonly truncated: boolean;
  readonly records: readonly { readonly name: string; readonly type: RecordType; readonly data: string }[];
}

/** A question for the records of a name. */
export function encodeQuestion(id: number, name: string, type: RecordType = 'A'): Buffer {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .map((label) => Buffer.from(label));
  if (labels.some(({ length }) => length === 0 || length > 63) || Buffer.byteLength(name) > 253) {
    throw new Error(`${name} is not a name: it has labels of 1 to 63 bytes, 253 in all`);
  }
  const header = Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const parts = labels.flatMap((label) => [Buffer.of(label.length), label]);
  return Buffer.concat([header, ...parts, Buffer.of(0, 0, recordTypes[type], 0, 1)]);
}

/** What a question and its answer have in common: the number and the question. `undefined` for anything else. */
export function keyOf(message: Buffer): string | undefined {
  try {
    const end = readName(message, 12).end + 4;
    if (message.readUInt16BE(4) !== 1 || end > message.length) return undefined;
    return message.toString('latin1', 0, 2) + message.toString('latin1', 12, end);
  } catch {
    return undefined;
  }
}

export function isAnswer(message: Buffer): boolean {
  return message.length >= 12 && message[2]! >= 0x80;
}

/** @throws Error if it is not a whole answer. */
export function decodeAnswer(message: Buffer): DnsAnswer {
  try {
    return readAnswer(message);
  } catch (cause) {
    throw new Error('The server has sent something that is no answer', { cause });
  }
}

function readAnswer(message: Buffer): DnsAnswer {
  if (!isAnswer(message) || message.readUInt16BE(4) !== 1) throw new Error('Not an answer to a question');
  const truncated = (message[2]! & 2) !== 0;
  const records: DnsAnswer['records'][number][] = [];
  let at = readName(message, 12).end + 4;
  for (let left = message.readUInt16BE(6); left > 0 && !(truncated && at === message.length); left--) {
    const { name, end } = readName(message, at);
    const type = typeOf(message.readUInt16BE(end));
    const start = end + 10;
    at = start + message.readUInt16BE(end + 8);
    if (at > message.length) throw new Error('The answer ends inside a record');
    if (type) records.push({ name, type, data: dataOf(type, message.subarray(0, at), start) });
  }
  return { id: message.readUInt16BE(0), code: message[3]! & 0xf, truncated, records };
}

function typeOf(number: number): RecordType | undefined {
  return (Object.keys(recordTypes) as RecordType[]).find((type) => recordTypes[type] === number);
}

/** @param message Ends where the record ends. */
function dataOf(type: RecordType, message: Buffer, start: number): string {
  if (type === 'CNAME') return readName(message, start).name;
  const data = message.subarray(start);
  if (type === 'A') return data.join('.');
  if (type === 'AAAA') return Array.from({ length: 8 }, (_, i) => data.readUInt16BE(2 * i).toString(16)).join(':');
  const texts: string[] = [];
  for (let at = 0; at < data.length; at += 1 + data[at]!) texts.push(data.toString('utf8', at + 1, at + 1 + data[at]!));
  return texts.join('');
}

/** A name ends with an empty label, or with a pointer to its continuation, which lies before it. */
function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  for (let at = start, part = start; ; ) {
    const length = message.readUInt8(at);
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
      // Always further back, so it comes to an end.
      if (at >= part) throw new Error('A name points forward');
      part = at;
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
}
