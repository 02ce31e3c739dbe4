// Reads the connections of a capture from a file.
import { createReadStream } from 'node:fs';
import { TruncatedFrameError } from '../base/errors.js';
import { type Conversation, Conversations } from './conversations.js';
import { parseTcp } from './parse-packet.js';
import { PcapngDecoder } from './pcapng-decoder.js';

/**
 * Reads the connections of a capture. The file may end inside a block, as that of a process that was killed.
 * @throws As a rejection: FrameError for a file that is not pcapng; Node's error if it cannot be read.
 */
export async function readConversations(path: string): Promise<Conversation[]> {
  const decoder = new PcapngDecoder();
  const conversations = new Conversations();
  const takeAll = () => {
    for (let block = decoder.next(); block; block = decoder.next()) {
      const segment = block.type === 'packet' ? parseTcp(block) : undefined;
      if (block.type === 'packet' && segment) conversations.add(segment, block.time);
    }
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    decoder.push(chunk);
    takeAll();
  }
  decoder.end();
  try {
    takeAll();
  } catch (error) {
    if (!(error instanceof TruncatedFrameError)) throw error;
  }
  return conversations.list();
}
