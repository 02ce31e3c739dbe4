// The messages of IRC, as a codec over lines: https://www.rfc-editor.org/rfc/rfc2812#section-2.3
import { type Codec, FrameError, linesCodec, mapCodec } from '@rxsock/core';

/** `:from COMMAND param param :a last param with spaces` */
export interface IrcMessage {
  /** The sender. Clients leave it out. */
  readonly from?: string;
  /** A word, or a reply of three digits. */
  readonly command: string;
  readonly params: readonly string[];
}

/** Servers send more than 512 bytes only with tags, which nobody sends unless asked. */
const lines = linesCodec({ delimiter: '\r\n', maxLength: 510, oversize: 'discard', trailing: 'drop' });

export const ircCodec: Codec<IrcMessage> = mapCodec(lines, {
  decode: (line) => {
    const [, from, command, middle = '', last] =
      /^(?::([^ ]+) +)?([A-Za-z]+|\d{3})((?: +[^ :][^ ]*)*)(?: +:(.*)| *)$/s.exec(line) ?? [];
    // Not a message, or an empty line.
    if (command === undefined) return undefined;
    const params = middle.split(' ').filter((word) => word !== '');
    if (last !== undefined) params.push(last);
    return from === undefined ? { command, params } : { from, command, params };
  },
  encode: ({ from, command, params }) => {
    const words = [...(from === undefined ? [] : [`:${from}`]), command, ...params.slice(0, -1)];
    // What somebody has said may hold a line break, and behind it a command of theirs.
    if (/[\r\n\0]/.test([...words, ...params].join(''))) throw refused('A message is one line');
    if (words.some((word, i) => !/^[^ ]+$/.test(word) || (i > 0 && word.startsWith(':')))) {
      throw refused('Only the last parameter may be empty, hold a space or begin with a colon');
    }
    return [...words, ...params.slice(-1).map((last) => `:${last}`)].join(' ');
  },
});

function refused(message: string): FrameError {
  return new FrameError(message, { phase: 'write' });
}
