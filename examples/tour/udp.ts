// UDP: some datagrams get lost, and a stranger sends replies. request() sends the question again after a loss, and
// ignores the stranger.
import { on, type SocketError } from '@rxsock/core';
import { bind, type Message, request } from '@rxsock/udp';
import { concatMap, EMPTY, filter, firstValueFrom, lastValueFrom, mergeMap, of, range, scan, toArray } from 'rxjs';
import { check, type Outcome } from './kit/outcome.js';

const COUNT = 100;

export async function overUdp(): Promise<Outcome> {
  // The server ignores two of three questions when it receives them for the first time, as if they were lost.
  const attempts = new Map<string, number>();
  const server = bind();
  const answering = mergeMap(({ data, remote }: Message) => {
    const question = data.toString();
    const attempt = (attempts.get(question) ?? 0) + 1;
    attempts.set(question, attempt);
    return Number(question) % 3 > 0 && attempt === 1 ? EMPTY : of({ data: `${question} is fine`, remote });
  });
  server.pipe(on('message'), answering).subscribe(server);
  const remote = await server.bind();

  // A stranger sends a forged reply before each question, so its reply arrives first.
  const client = bind();
  const clientAddress = await client.bind();
  const stranger = bind();
  const forgedReplies = client.pipe(
    on('message'),
    filter(({ remote: from }) => from.port !== remote.port),
    scan((count) => count + 1, 0),
  );
  const forgedCount = lastValueFrom(forgedReplies, { defaultValue: 0 });

  const asking = range(1, COUNT).pipe(
    concatMap(async (n) => {
      await stranger.send({ data: `${n} is forged`, remote: clientAddress });
      const { data } = await firstValueFrom(request(client, { data: String(n), remote }, { timeout: 20, retries: 20 }));
      return data.toString();
    }),
    toArray(),
  );
  const answers = await lastValueFrom(asking);
  const tooLarge = await client.send({ data: Buffer.alloc(65_508), remote }).catch((error: SocketError) => error.code);
  await Promise.all([client.close(), stranger.close(), server.close()]);

  const ignored = await forgedCount;
  const answered = answers.filter((answer, index) => answer === `${index + 1} is fine`).length;
  const repeated = [...attempts.values()].filter((count) => count > 1).length;
  return {
    bytes: client.report.bytesWritten,
    peakQueue: 0,
    checks: [
      check(answered === COUNT, `${answered} of ${COUNT} questions were answered, ${repeated} of them after a loss`),
      check(ignored === COUNT, `${ignored} replies from a stranger were ignored`),
      check(tooLarge === 'EMSGSIZE', `a datagram of 65,508 bytes fails with ${tooLarge}, and the socket stays open`),
    ],
  };
}
