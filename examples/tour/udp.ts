// UDP: datagrams that get lost, and replies from strangers. request() asks again for the first and ignores the others.
import { on, type SocketError } from '@rxsock/core';
import { bind, request } from '@rxsock/udp';
import { concatMap, EMPTY, filter, firstValueFrom, lastValueFrom, mergeMap, of, range, scan, toArray } from 'rxjs';
import { check, type Outcome } from './kit/outcome.js';

const COUNT = 100;

export async function overUdp(): Promise<Outcome> {
  // The server loses two questions of three when it first hears them.
  const heard = new Map<string, number>();
  const server = bind();
  const answering = mergeMap(({ data, remote }: { data: Buffer; remote: { address: string; port: number } }) => {
    const question = data.toString();
    const times = (heard.get(question) ?? 0) + 1;
    heard.set(question, times);
    return Number(question) % 3 > 0 && times === 1 ? EMPTY : of({ data: `${question} is fine`, remote });
  });
  server.pipe(on('message'), answering).subscribe(server);
  const remote = await server.bind();

  // A stranger has an answer of its own to each question, and is faster.
  const client = bind();
  const near = await client.bind();
  const stranger = bind();
  const strangers = client.pipe(
    on('message'),
    filter(({ remote: from }) => from.port !== remote.port),
    scan((count) => count + 1, 0),
  );
  const forged = lastValueFrom(strangers, { defaultValue: 0 });

  const asking = range(1, COUNT).pipe(
    concatMap(async (n) => {
      await stranger.send({ data: `${n} is forged`, remote: near });
      const { data } = await firstValueFrom(request(client, { data: String(n), remote }, { timeout: 20, retries: 20 }));
      return data.toString();
    }),
    toArray(),
  );
  const answers = await lastValueFrom(asking);
  const tooLarge = await client.send({ data: Buffer.alloc(65_508), remote }).catch((error: SocketError) => error.code);
  await Promise.all([client.close(), stranger.close(), server.close()]);

  const ignored = await forged;
  const fine = answers.filter((answer, at) => answer === `${at + 1} is fine`).length;
  const again = [...heard.values()].filter((times) => times > 1).length;
  return {
    bytes: client.report.bytesWritten,
    peakQueue: 0,
    checks: [
      check(fine === COUNT, `${fine} of ${COUNT} questions were answered, ${again} of them after a loss`),
      check(ignored === COUNT, `${ignored} replies from a stranger were ignored`),
      check(tooLarge === 'EMSGSIZE', `a datagram of 65,508 bytes: ${tooLarge}, and the socket goes on`),
    ],
  };
}
