// The codec for Redis of the examples.
import type { Codec } from '@rxsock/core';

/** A value of the protocol. */
export type Resp = unknown;

interface RespModule {
  readonly respCodec: Codec<Resp>;
  /** A command, as clients send it. */
  command(...words: readonly string[]): Resp;
}

export async function importResp(): Promise<RespModule> {
  return import(new URL('../../examples/dist/clients/codecs/resp.js', import.meta.url).href);
}
