// What framed() gives. Compiled, never run: it is right if it compiles.
import {
  type Codec,
  connect,
  type Framed,
  framed,
  jsonLinesCodec,
  lengthPrefixedCodec,
  linesCodec,
  type ReconnectingSocket,
  reconnect,
} from '@rxsock/core';

const socket = connect({ port: 1 });

export const bytes = framed(socket, lengthPrefixedCodec({ lengthField: 2 }));
bytes.next('text, too');
bytes.next(new Uint8Array(1));
bytes.subscribe((frame) => frame.readUInt8());

export const text: Framed<string> = framed(socket, linesCodec());
// @ts-expect-error Lines are strings.
text.next(new Uint8Array(1));

export const message: Framed<{ id: number }> = framed(socket, jsonLinesCodec<{ id: number }>());
export const anything: Framed<unknown> = framed(socket, jsonLinesCodec());
// @ts-expect-error What a line contains is not known.
anything.subscribe((value) => value.toString('hex'));

declare const codec: Codec<number | null>;
export const numbers: Framed<number | null> = framed(socket, codec);
export const named: Framed<Date> = framed<Date>(socket, jsonLinesCodec());

export const lasting: Framed<string, string, ReconnectingSocket> = framed(
  reconnect(() => socket),
  linesCodec(),
);
export const state: string = lasting.socket.readyState;
