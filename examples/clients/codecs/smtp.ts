// Replies and mails of SMTP: https://www.rfc-editor.org/rfc/rfc5321#section-4
import { encode, flowFrom, lines, linesCodec, type Reader } from '@rxsock/core';
import { map, type Observable } from 'rxjs';

/** Sends a command. Returns the lines of the reply, or throws if it is not the one that is expected. */
export async function ask(replies: Reader, command: string, expected = 250): Promise<string[]> {
  if (/[\r\n]/.test(command)) throw new Error('A command is one line');
  await replies.socket.write(`${command}\r\n`);
  return readReply(replies, expected);
}

/** Reads a reply. Every line but the last has a hyphen behind its code. */
export async function readReply(replies: Reader, expected: number): Promise<string[]> {
  const reply: string[] = [];
  for (;;) {
    const line = await replies.readLine();
    if (line === undefined) throw new Error('The server has ended the connection');
    if (!/^\d{3}([ -]|$)/.test(line)) throw new Error(`Not a reply of SMTP: ${line}`);
    reply.push(line);
    if (reply.length > 1_000) throw new Error('The reply does not end');
    if (line[3] === '-') continue;
    if (Number(line.slice(0, 3)) !== expected) throw new Error(`The server refused: ${line}`);
    return reply;
  }
}

/**
 * The bytes of a mail, as they follow `DATA`: all lines end with CR LF, and those that begin with a dot get one more,
 * because a dot alone ends the mail.
 */
export function mailBytes(source: AsyncIterable<Uint8Array>): Observable<Uint8Array | string> {
  return flowFrom(source).pipe(
    lines({ encoding: 'latin1' }),
    map((line) => {
      // Some servers take it for the end of a line. Then what follows could be a mail of somebody else.
      if (line.includes('\r')) throw new Error('The mail has a CR without LF');
      return line.startsWith('.') ? `.${line}` : line;
    }),
    encode(linesCodec({ encoding: 'latin1', delimiter: '\r\n' })),
  );
}
