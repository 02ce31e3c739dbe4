// TLS, with a certificate made on the spot: half-close works as over TCP, a server that shows a stranger's certificate is
// refused, and a stream that is cut on its way is told from one that ended.
import { data, on, SocketError, serve, through } from '@rxsock/core';
import { faultyProxy } from '@rxsock/core/testing';
import { connect, listen } from '@rxsock/tls';
import { concat, firstValueFrom, ignoreElements, lastValueFrom, of, tap, toArray } from 'rxjs';
import { localCertificate } from '../kit/certificate.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';

const ANSWER = 'all of it, '.repeat(10_000);

export async function overTls(): Promise<Outcome> {
  using meter = new Meter();
  const { key, cert } = await localCertificate();

  // The server reads its client to the end before it answers.
  await using server = listen({ key, cert });
  const answer = serve((socket) => concat(meter.watch(socket).pipe(data(), ignoreElements()), of(ANSWER)));
  server.pipe(answer).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));

  // What a client hears of, and what it gets: an answer, or the code of an error.
  const ask = async (port: number, ca?: string) => {
    const socket = meter.watch(connect({ port, host: '127.0.0.1', ...(ca !== undefined && { ca }) }));
    const events: string[] = [];
    socket.pipe(tap(({ type }) => events.push(type))).subscribe({ error: () => {} });
    const secured = socket.pipe(on('secureConnect'), toArray());
    const got = of('everything, please').pipe(through(socket), toArray());
    const [[agreed], answer] = await Promise.all([
      lastValueFrom(secured),
      lastValueFrom(got).then(
        (chunks) => Buffer.concat(chunks).toString(),
        (error) => (error instanceof SocketError ? error.code : String(error)),
      ),
    ]);
    const story = events.slice(events.indexOf('connect')).filter((type, at, all) => type !== all[at - 1]);
    return { agreed, answer, story: story.join(' → ') };
  };

  const whole = await ask(address.port, cert);
  const refused = await ask(address.port);
  // After half of it somebody ends TCP for both, as anybody between the two can.
  await using thief = await faultyProxy({ target: address, direction: 'fromTarget', cut: ANSWER.length / 2 });
  const cut = await ask(thief.port, cert);

  return {
    bytes: meter.bytesSent,
    peakQueue: meter.queue.max,
    checks: [
      check(whole.answer === ANSWER, `the whole answer over ${whole.agreed?.protocol}, ${whole.agreed?.cipher}`),
      check(whole.story.includes('finish → data → end'), `it came after our FIN: ${whole.story}`),
      check(refused.answer === 'DEPTH_ZERO_SELF_SIGNED_CERT', `without the certificate as ca: ${refused.answer}`),
      check(cut.answer === 'ERR_TLS_TRUNCATED', `cut in the middle: ${cut.answer}, not an end`),
    ],
  };
}
