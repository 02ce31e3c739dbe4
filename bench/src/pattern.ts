// What a blast sends, again and again.

/** The kind of a message. A size is in bytes: that of a line with its line feed, or of a payload. */
export type Format =
  | { readonly type: 'text' }
  | { readonly type: 'lines'; readonly size: number }
  | { readonly type: 'length-prefixed'; readonly size: number }
  | { readonly type: 'resp' };

const TEXT = 'The quick brown fox jumps over the lazy dog. ';

/** Replies of Redis, as a client sees them: a status, a number, bytes, and a list. */
export const REPLIES = '+OK\r\n:1000\r\n$16\r\n0123456789abcdef\r\n*3\r\n$3\r\none\r\n$3\r\ntwo\r\n:3\r\n';

/** How many replies these are. */
export const REPLIES_COUNT = 4;

export function patternOf(format: Format = { type: 'text' }): Buffer {
  switch (format.type) {
    case 'text':
      return Buffer.alloc(64 * 1024, TEXT);
    case 'lines': {
      const line = Buffer.alloc(format.size, TEXT);
      line[format.size - 1] = 10;
      return line;
    }
    case 'length-prefixed': {
      const message = Buffer.alloc(4 + format.size, TEXT);
      message.writeUInt32BE(format.size);
      return message;
    }
    case 'resp':
      return Buffer.from(REPLIES);
  }
}
