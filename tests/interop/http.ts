// As much of HTTP as curl needs, over any transport.
import { createHash } from 'node:crypto';
import { delimitedCodec, reader, type Socket } from '@rxsock/core';
import { type Program, run } from '../support/program.js';

/** Answers each request of a connection: GET and HEAD with a greeting, POST with the digest of the body. */
export async function* http(socket: Socket): AsyncGenerator<string> {
  using requests = reader(socket);
  const heads = delimitedCodec('\r\n\r\n');
  for (let head = await requests.readFrame(heads); head; head = await requests.readFrame(heads)) {
    const [method, path] = head.toString('latin1').split(' ', 2);
    const length = Number(/^content-length: *(\d+)/im.exec(head.toString('latin1'))?.[1] ?? 0);
    if (/^expect: *100-continue/im.test(head.toString('latin1'))) yield 'HTTP/1.1 100 Continue\r\n\r\n';
    const body = await requests.read(length);
    const text = method === 'POST' ? createHash('sha256').update(body).digest('hex') : `hello ${path}\n`;
    const header = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n`;
    yield method === 'HEAD' ? header : header + text;
  }
}

/** Runs curl; `input` is what `--data-binary @-` sends. */
export function curl(input: string | Buffer, ...args: string[]): Promise<Program> {
  return run('curl', ['--silent', '--show-error', '--max-time', '15', '--noproxy', '*', ...args], input);
}
