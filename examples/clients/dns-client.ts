// A DNS client: asks over UDP, and again over TCP if the answer does not fit into a datagram.
import { randomInt } from 'node:crypto';
import { connect, exchange, framed, lengthPrefixedCodec } from '@rxsock/core';
import * as udp from '@rxsock/udp';
import { Option } from 'commander';
import { defer, finalize, map, of, switchMap } from 'rxjs';
import { fail, printable, untilCtrlC } from '../cli.js';
import { commandLine, parseMilliseconds, parsePort } from '../kit/command-line.js';
import { decodeAnswer, encodeQuestion, isAnswer, keyOf, type RecordType, recordTypes } from './codecs/dns.js';

const program = commandLine('dns-client', 'Asks a DNS server about a name, and prints the records.')
  .argument('<server>', 'the address of the server')
  .argument('<port>', 'its port', parsePort)
  .argument('<name>', 'the name')
  .addOption(new Option('--type <type>', 'which records').choices(Object.keys(recordTypes)).default('A'))
  .option('--timeout <ms>', 'how long to wait for an answer at each attempt, in milliseconds', parseMilliseconds, 2000)
  .addHelpText(
    'after',
    '\nTry it with the server in /etc/resolv.conf:\n  dns-client 192.168.0.1 53 example.com --type AAAA',
  )
  .parse();
const [host, port, name] = program.processedArgs as [string, number, string];
const { type, timeout } = program.opts<{ type: RecordType; timeout: number }>();
const signal = untilCtrlC();

// Nobody else can know the number, so nobody else can answer.
const question = encodeQuestion(randomInt(0x10000), name, type);

/** Ignores answers to other questions. */
const overUdp = defer(() => {
  const match = ({ data }: udp.Message) => isAnswer(data) && keyOf(data) === keyOf(question);
  const reply = udp.request(udp.connect({ host, port, signal }), question, { match, timeout });
  return reply.pipe(map(({ data }) => data));
});

/** The same messages, each behind its length. */
const overTcp = defer(() => {
  const socket = connect({ host, port, signal });
  const messages = framed<Buffer>(socket, lengthPrefixedCodec({ lengthField: 2 }));
  return exchange(messages, { key: keyOf, timeout })
    .request(question)
    .pipe(finalize(() => socket.close()));
});

const errors: Record<number, string> = {
  2: 'the server has failed',
  3: 'there is no such name',
  5: 'the server refuses',
};

overUdp
  .pipe(
    map(decodeAnswer),
    switchMap((answer) => {
      if (!answer.truncated) return of(answer);
      console.error('* the answer is too long for a datagram: asking over TCP');
      return overTcp.pipe(map(decodeAnswer));
    }),
  )
  .subscribe({
    next: ({ code, records }) => {
      for (const record of records) console.log(printable(`${record.name} ${record.type} ${record.data}`));
      if (code !== 0) fail(new Error(`No answer about ${name}: ${errors[code] ?? `error ${code}`}`));
      else if (records.length === 0) fail(new Error(`${name} has no records of type ${type}`));
    },
    error: fail,
  });
