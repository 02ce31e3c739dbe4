// The reader of captures: blocks, packets and connections. The first byte chooses the cuts, and the rest is the file.
import { type Codec, FrameError } from '@rxsock/core';
import { Conversations, PcapngDecoder, parseTcp } from '@rxsock/core/internal';
import { checkDecoder } from '../differential.js';
import type { Target } from '../target.js';

const codec: Codec<unknown> = {
  decoder: () => new PcapngDecoder(),
  encode: () => {
    throw new FrameError('a block alone is no file', { phase: 'write' });
  },
};

export const pcapng: Target = {
  fuzz(input) {
    const [cut = 0] = input;
    const file = input.subarray(1);
    checkDecoder(codec, file, cut);
    checkConversations(file);
  },
};

/** Whatever the packets hold, each side has sent its bytes in order, and each of them once. */
function checkConversations(file: Uint8Array): void {
  const conversations = new Conversations();
  for (const block of blocksOf(file)) {
    const segment = block.type === 'packet' ? parseTcp(block) : undefined;
    if (block.type === 'packet' && segment) conversations.add(segment, block.time);
  }
  for (const { steps } of conversations.list()) {
    const totals = { client: 0, server: 0 };
    for (const { from, sent, total, lacking } of steps) {
      if (sent === 'reset') continue;
      const length = sent === 'fin' ? 0 : sent.reduce((sum, bytes) => sum + bytes.length, 0);
      if (lacking < 0 || total !== totals[from] + lacking + length)
        throw new Error(`${from}: ${totals[from]} bytes, ${lacking} lacking and ${length} more are not ${total}`);
      totals[from] = total;
    }
  }
}

function blocksOf(file: Uint8Array) {
  const decoder = new PcapngDecoder();
  const blocks: NonNullable<ReturnType<PcapngDecoder['next']>>[] = [];
  decoder.push(file);
  try {
    for (let block = decoder.next(); block; block = decoder.next()) blocks.push(block);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
  }
  return blocks;
}
