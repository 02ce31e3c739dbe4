// Captures in memory for the tests of pcapng.
import { Output } from '../../src/capture/output.js';
import { TcpRecorder } from '../../src/capture/tcp-recorder.js';
import { type Conversation, Conversations } from '../../src/pcapng/conversations.js';
import { parseTcp } from '../../src/pcapng/parse-packet.js';
import { type CapturedPacket, type PcapngBlock, PcapngDecoder } from '../../src/pcapng/pcapng-decoder.js';

/** Decodes a whole capture, or chunks of it. */
export function decodeBlocks(...chunks: Uint8Array[]): PcapngBlock[] {
  const decoder = new PcapngDecoder();
  const blocks: PcapngBlock[] = [];
  const take = () => {
    for (let block = decoder.next(); block; block = decoder.next()) blocks.push(block);
  };
  for (const chunk of chunks) {
    decoder.push(chunk);
    take();
  }
  decoder.end();
  take();
  return blocks;
}

/** The packets of a capture. */
export function packetsOf(file: Uint8Array): CapturedPacket[] {
  return decodeBlocks(file).filter((block) => block.type === 'packet');
}

/** The connections of a capture. */
export function conversationsOf(file: Uint8Array): Conversation[] {
  const conversations = new Conversations();
  for (const packet of packetsOf(file)) {
    const segment = parseTcp(packet);
    if (segment) conversations.add(segment, packet.time);
  }
  return conversations.list();
}

/** A capture in memory. `close()` returns the files. */
export function memoryCapture({ maxBytes = Number.POSITIVE_INFINITY, files = 1, step = 1000 } = {}) {
  const written: Buffer[][] = [[]];
  const output = new Output(
    {
      copies: true,
      write: async (parts) => {
        written.at(-1)?.push(Buffer.concat(parts));
      },
      rotate: async () => {
        written.push([]);
      },
      close: async () => {},
    },
    { maxBytes, files, onFull: () => {} },
  );
  let time = 1_700_000_000_000_000;
  /** Records a connection. Every chunk comes `step` microseconds after the last one. */
  const connection = (
    index = 0,
    {
      address = '192.0.2.1',
      family = 'IPv4' as 'IPv4' | 'IPv6',
      sent = undefined as { client: number; server: number } | undefined,
    } = {},
  ) =>
    new TcpRecorder(output, {
      client: { address, port: 40_000 + index, family },
      server: { address, port: 80, family },
      description: `connection ${index}`,
      sent,
      now: () => {
        time += step;
        return time;
      },
    });
  const close = async () => {
    await output.close(time);
    return written.map((parts) => Buffer.concat(parts));
  };
  return { output, connection, close };
}
