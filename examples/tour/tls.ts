// TLS with a self-signed certificate: half-close works as over TCP, a client that does not trust the certificate
// refuses it, and a stream that was cut on its way does not look like one that ended.
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

  // The server reads up to the client's FIN before it answers.
  await using server = listen({ key, cert });
  const answering = serve((socket) => concat(meter.watch(socket).pipe(data(), ignoreElements()), of(ANSWER)));
  server.pipe(answering).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));

  // Asks, and returns the negotiated protocol, the answer or the code of an error, and the client's events.
  const ask = async (port: number, ca?: string) => {
    const socket = meter.watch(connect({ port, host: '127.0.0.1', ...(ca !== undefined && { ca }) }));
    const events: string[] = [];
    socket.pipe(tap(({ type }) => events.push(type))).subscribe({ error: () => {} });
    const secureConnect = firstValueFrom(socket.pipe(on('secureConnect')));
    const received = of('everything, please').pipe(through(socket), toArray());
    const [secured, answer] = await Promise.all([
      secureConnect.catch(() => undefined),
      lastValueFrom(received).then(
        (chunks) => Buffer.concat(chunks).toString(),
        (error) => (error instanceof SocketError ? error.code : String(error)),
      ),
    ]);
    const story = events.slice(events.indexOf('connect')).filter((type, index, all) => type !== all[index - 1]);
    return { secured, answer, story: story.join(' → ') };
  };

  const whole = await ask(address.port, cert);
  const refused = await ask(address.port);
  // Anybody between client and server can end the TCP connection. This proxy does it in the middle of the answer.
  await using proxy = await faultyProxy({ target: address, direction: 'fromTarget', limitData: ANSWER.length / 2 });
  const cut = await ask(proxy.port, cert);

  return {
    bytes: meter.bytesSent,
    peakQueue: meter.queue.max,
    checks: [
      check(whole.answer === ANSWER, `the whole answer over ${whole.secured?.protocol}, ${whole.secured?.cipher}`),
      check(whole.story.includes('finish → data → end'), `it came after our FIN: ${whole.story}`),
      check(refused.answer === 'DEPTH_ZERO_SELF_SIGNED_CERT', `without the certificate as ca: ${refused.answer}`),
      check(cut.answer === 'ERR_TLS_TRUNCATED', `cut in the middle: ${cut.answer}, not an end`),
    ],
  };
}
