// The packets of MQTT 3.1.1 for a client that publishes and subscribes with QoS 0 and 1.
// https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
import { type HeaderFrame, lengthPrefixedCodec, mapCodec } from '@rxsock/core';

interface PublishPacket {
  readonly type: 'publish';
  readonly topic: string;
  readonly payload: Buffer;
  /** With QoS 1: the answer is a `puback` with the same id. Without it the QoS is 0, and there is none. */
  readonly id?: number;
  /** Whether it may have been sent before. */
  readonly dup?: boolean;
  readonly retain?: boolean;
}

export type MqttPacket =
  | {
      readonly type: 'connect';
      readonly clientId: string;
      /** Whether the server forgets the subscriptions of this client, and what it has missed. */
      readonly cleanSession: boolean;
      /** In seconds: the server gives up a client that is silent for one and a half times as long. */
      readonly keepAlive: number;
    }
  | { readonly type: 'connack'; readonly sessionPresent: boolean; readonly code: number }
  | PublishPacket
  | { readonly type: 'puback'; readonly id: number }
  | { readonly type: 'subscribe'; readonly id: number; readonly filter: string }
  /** `code` is the QoS that was granted, or 128 for a refusal. */
  | { readonly type: 'suback'; readonly id: number; readonly code: number }
  | { readonly type: 'pingreq' | 'pingresp' | 'disconnect' };

/** The first half of the first byte of each packet. */
const types = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

export const mqttCodec = mapCodec(
  lengthPrefixedCodec({ lengthField: 'varint', offset: 1, header: true, maxLength: 1024 * 1024 }),
  { decode: decodePacket, encode: encodePacket },
);

function decodePacket({ header, payload }: HeaderFrame): MqttPacket {
  const flags = header[0]! & 0x0f;
  const type = header[0]! >> 4;
  if (type === types.publish) return decodePublish(flags, payload);
  if (flags !== (type === types.subscribe ? 2 : 0))
    throw new Error(`A packet of type ${type} cannot have flags ${flags}`);
  switch (type) {
    case types.connack:
      checkLength(payload, 2);
      return { type: 'connack', sessionPresent: payload[0] === 1, code: payload[1]! };
    case types.puback:
      checkLength(payload, 2);
      return { type: 'puback', id: payload.readUInt16BE() };
    case types.suback:
      checkLength(payload, 3);
      return { type: 'suback', id: payload.readUInt16BE(), code: payload[2]! };
    case types.pingresp:
      checkLength(payload, 0);
      return { type: 'pingresp' };
    default:
      throw new Error(`Packets of type ${type} are not supported`);
  }
}

function decodePublish(flags: number, payload: Buffer): PublishPacket {
  const qos = (flags >> 1) & 3;
  if (qos > 1) throw new Error(`QoS ${qos} is not supported`);
  const end = 2 + payload.readUInt16BE();
  const start = qos === 1 ? end + 2 : end;
  if (start > payload.length) throw new Error('The topic is longer than its packet');
  return {
    type: 'publish',
    topic: payload.toString('utf8', 2, end),
    payload: payload.subarray(start),
    ...(qos === 1 && { id: payload.readUInt16BE(end) }),
    ...(flags & 8 && { dup: true }),
    ...(flags & 1 && { retain: true }),
  };
}

function encodePacket(packet: MqttPacket): { header: Buffer; payload: Buffer } {
  const withFlags = (flags: number, ...parts: Buffer[]) => ({
    header: Buffer.of((types[packet.type] << 4) | flags),
    payload: Buffer.concat(parts),
  });
  switch (packet.type) {
    case 'connect': {
      const { clientId, cleanSession, keepAlive } = packet;
      return withFlags(0, text('MQTT'), Buffer.of(4, cleanSession ? 2 : 0), uint16(keepAlive), text(clientId));
    }
    case 'publish': {
      const { topic, payload, id, dup, retain } = packet;
      const flags = (dup ? 8 : 0) | (id === undefined ? 0 : 2) | (retain ? 1 : 0);
      return withFlags(flags, text(topic), id === undefined ? Buffer.alloc(0) : uint16(id), payload);
    }
    case 'puback':
      return withFlags(0, uint16(packet.id));
    case 'subscribe':
      return withFlags(2, uint16(packet.id), text(packet.filter), Buffer.of(1));
    case 'pingreq':
    case 'disconnect':
      return withFlags(0);
    default:
      throw new TypeError(`Only a server sends ${packet.type}`);
  }
}

function checkLength(payload: Buffer, length: number): void {
  if (payload.length !== length) throw new Error(`The packet must have ${length} bytes behind its length`);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value); // throws over 65,535
  return bytes;
}
