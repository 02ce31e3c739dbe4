// Request and response, line by line, as a story instead of a pipeline: once with `for await`, once with a reader.
import { connect, data, lines, reader, toAsyncIterable } from '@rxsock/core';
import { Command, Option } from 'commander';
import { fail, port, untilCtrlC } from './cli.js';

const program = new Command('request-response')
  .description('Sends each request as a line, and prints the line that comes back before it sends the next.')
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', port)
  .argument('<requests...>', 'the lines to send')
  .addOption(new Option('--with <way>', 'how to read the answers').choices(['reader', 'for-await']).default('reader'))
  .addHelpText('after', '\nTry it with the echo-server:\n  request-response 127.0.0.1 <port> one two three')
  .parse();
const [host, serverPort, requests] = program.processedArgs as [string, number, string[]];
const signal = untilCtrlC();

/** A reader takes what it is asked for, with a time limit; `using` gives the rest back, and then closes the socket. */
async function withReader(): Promise<void> {
  await using socket = connect({ host, port: serverPort, signal });
  using answers = reader(socket, { timeout: 5_000 });
  for (const request of requests) {
    await socket.write(`${request}\n`);
    const answer = await answers.readLine();
    if (answer === undefined) throw new Error('The server ended the connection before it answered');
    console.log(`${request} -> ${answer}`);
  }
}

/** The loop pulls: while its body runs, the server has to wait. It goes on until the server ends its side. */
async function withForAwait(): Promise<void> {
  const socket = connect({ host, port: serverPort, idleTimeout: 5_000, signal });
  const waiting = [...requests];
  let request = waiting.shift();
  socket.next(`${request}\n`);
  for await (const answer of toAsyncIterable(socket.pipe(data(), lines()))) {
    console.log(`${request} -> ${answer}`);
    request = waiting.shift();
    if (request === undefined) socket.complete();
    else socket.next(`${request}\n`);
  }
  if (request !== undefined) throw new Error('The server ended the connection before it answered');
}

const { with: way } = program.opts<{ with: 'reader' | 'for-await' }>();
(way === 'reader' ? withReader() : withForAwait()).catch(fail);
