// The answers to a UDP request. The input is a list of datagrams: a byte for the sender and the length, then the bytes.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { bind, type Message, request } from '@rxsock/udp';
import { firstValueFrom } from 'rxjs';
import type { Target } from '../target.js';

/** A datagram whose first byte is this is the reply. */
const REPLY = 0x52;
/** At a datagram whose first byte is this, `match` throws. */
const BAD = 0xff;

interface Answer {
  readonly spoofed: boolean;
  readonly data: Uint8Array;
}

function answersOf(input: Uint8Array): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < input.length && answers.length < 32; ) {
    const head = input[at]!;
    const end = at + 1 + (head & 0x3f);
    answers.push({ spoofed: head >= 0x80, data: input.subarray(at + 1, end) });
    at = end;
  }
  // A last answer, so that no request waits for its timeout.
  answers.push({ spoofed: false, data: Uint8Array.of(REPLY) });
  return answers;
}

async function open() {
  const peer = createSocket('udp4').bind(0, '127.0.0.1');
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  const client = bind({ host: '127.0.0.1' });
  await Promise.all([once(peer, 'listening'), once(stranger, 'listening'), client.bind()]);
  return { peer, stranger, client };
}

let opened: ReturnType<typeof open> | undefined;
let count = 0;

export const udpRequest: Target = {
  async fuzz(input) {
    opened ??= open();
    const { peer, stranger, client } = await opened;
    // Every datagram begins with the number of the run, because a late one may come during the next.
    const number = Buffer.alloc(4);
    number.writeUInt32BE(++count);
    const answers = answersOf(input);
    peer.once('message', (_, { port, address }) => {
      for (const { spoofed, data } of answers)
        (spoofed ? stranger : peer).send(Buffer.concat([number, data]), port, address);
    });
    const match = ({ data }: Message) => {
      if (data.length < 4 || !data.subarray(0, 4).equals(number)) return false;
      if (data[4] === BAD) throw new RangeError('bad answer');
      return data[4] === REPLY;
    };
    const remote = { address: '127.0.0.1', port: peer.address().port };
    const outcome = firstValueFrom(request(client, { data: 'ask', remote }, { match })).then(
      ({ data }) => data.subarray(4).toString('hex'),
      (error: unknown) => {
        if (error instanceof RangeError) return 'bad answer';
        throw error;
      },
    );
    const first = answers.find(({ spoofed, data }) => !spoofed && (data[0] === REPLY || data[0] === BAD))!;
    const expected = first.data[0] === BAD ? 'bad answer' : Buffer.from(first.data).toString('hex');
    const received = await outcome;
    if (received !== expected) throw new Error(`The reply is ${received} instead of ${expected}`);
  },

  async close() {
    if (!opened) return;
    const { peer, stranger, client } = await opened;
    opened = undefined;
    peer.close();
    stranger.close();
    await client.close();
  },
};
