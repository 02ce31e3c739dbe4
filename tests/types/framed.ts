// What framed() gives. Compiled, never run: it is right if it compiles.
import { connect, type Framed, framed, lengthPrefixedCodec, linesCodec } from '@rxsock/core';

const socket = connect({ port: 1 });

export const bytes = framed(socket, lengthPrefixedCodec({ lengthField: 2 }));
bytes.next('text, too');
bytes.next(new Uint8Array(1));
bytes.subscribe((frame) => frame.readUInt8());

export const text: Framed<string> = framed(socket, linesCodec());
// @ts-expect-error Lines are strings.
text.next(new Uint8Array(1));
