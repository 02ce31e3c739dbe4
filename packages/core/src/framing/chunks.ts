// The codec of unframed bytes: a frame is whatever has arrived.
import type { Codec } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';

export const chunksCodec: Pick<Codec<Buffer>, 'decoder'> = { decoder: () => new ChunksDecoder() };

class ChunksDecoder extends FrameDecoder<Buffer> {
  protected override decodeFrame(): Buffer | undefined {
    const { size } = this.queue;
    return size > 0 && this.queue.gather(size) ? this.queue.takeFrame(0, size, size) : undefined;
  }
}
