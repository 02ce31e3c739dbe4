// Request and response, line by line and step by step instead of in a pipeline: with a reader, or with `for await`.
import { connect, data, lines, linesCodec, reader, toAsyncIterable } from '@rxsock/core';
import { Option } from 'commander';
import { fail, untilCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine(
  'request-response',
  'Sends each request as a line, and prints its answer before it sends the next request.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .argument('<requests...>', 'the lines to send')
  .addOption(new Option('--with <way>', 'how to read the answers').choices(['reader', 'for-await']).default('reader'))
  .addHelpText('after', '\nTry it with the echo-server:\n  request-response 127.0.0.1 <port> one two three')
  .parse();
const [host, port, requests] = program.processedArgs as [string, number, string[]];
const signal = untilCtrlC();
/** Half a line at the end of the connection is no answer. */
const whole = { trailing: 'error' } as const;

/** Reads one line at a time, with a time limit. `using` releases the reader, and `await using` closes the socket. */
async function withReader(): Promise<void> {
  await using socket = connect({ host, port, signal });
  using answers = reader(socket, { timeout: 5_000 });
  for (const request of requests) {
    await socket.write(`${request}\n`);
    const answer = await answers.readFrame(linesCodec(whole));
    if (answer === undefined) throw new Error('The server ended the connection before it answered');
    console.log(`${request} -> ${answer}`);
  }
}

/** Loops until the server ends its side. While the body of the loop runs, the server has to wait. */
async function withForAwait(): Promise<void> {
  const socket = connect({ host, port, idleTimeout: 5_000, signal });
  const queue = [...requests];
  let request = queue.shift();
  socket.next(`${request}\n`);
  for await (const answer of toAsyncIterable(socket.pipe(data(), lines(whole)))) {
    console.log(`${request} -> ${answer}`);
    request = queue.shift();
    if (request === undefined) socket.complete();
    else socket.next(`${request}\n`);
  }
  if (request !== undefined) throw new Error('The server ended the connection before it answered');
}

const { with: way } = program.opts<{ with: 'reader' | 'for-await' }>();
(way === 'reader' ? withReader() : withForAwait()).catch(fail);
