// The part of DNS that the tests need: a question, and the addresses of an answer. RFC 1035, section 4.1.

/** A question for the IPv4 addresses of a name. */
export function question(id: number, name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

export interface DnsAnswer {
  readonly id: number;
  /** 0, or an error: 3 if there is no such name, 5 if the question was refused. */
  readonly code: number;
  readonly addresses: readonly string[];
}

/** Reads an answer that holds only addresses. */
export function answer(message: Buffer): DnsAnswer {
  const count = message.readUInt16BE(6);
  const addresses: string[] = [];
  let at = afterName(message, 12) + 4;
  for (let i = 0; i < count; i++) {
    at = afterName(message, at) + 10;
    const length = message.readUInt16BE(at - 2);
    addresses.push(message.subarray(at, at + length).join('.'));
    at += length;
  }
  return { id: message.readUInt16BE(0), code: message[3]! & 0xf, addresses };
}

/** A name ends with an empty label, or with a pointer to its continuation. */
function afterName(message: Buffer, at: number): number {
  for (;;) {
    const length = message[at]!;
    if (length >= 0xc0) return at + 2;
    if (length === 0) return at + 1;
    at += length + 1;
  }
}
