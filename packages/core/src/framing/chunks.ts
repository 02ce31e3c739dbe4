// No framing: what has come is a frame.
import type { Codec } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';

export const chunksCodec: Pick<Codec<Buffer>, 'decoder'> = { decoder: () => new ChunksDecoder() };

class ChunksDecoder extends FrameDecoder<Buffer> {
  protected override pull(): Buffer | undefined {
    const { size } = this.queue;
    return size > 0 && this.queue.need(size) ? this.queue.take(0, size, size) : undefined;
  }
}
