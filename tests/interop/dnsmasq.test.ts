// dnsmasq: DNS over UDP, one message per datagram, and over TCP, where two bytes of length precede each message.
import { connect, encode, flowFrom, framed, lengthPrefixed, lengthPrefixedCodec, through } from '@rxsock/core';
import * as udp from '@rxsock/udp';
import { firstValueFrom, forkJoin, lastValueFrom, map, toArray } from 'rxjs';
import { afterAll, expect, test } from 'vitest';
import { decodeAnswer, encodeQuestion } from '../../examples/clients/codecs/dns.js';
import { type Listening, startOnFreePort } from '../support/listening-programs.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import { Program } from '../support/program.js';

/** Has its own names and addresses, and no server to ask for others. */
const zone = ['--address=/one.test/192.0.2.1', '--host-record=many.test,192.0.2.2', '--local=/test/'];
const quiet = ['--no-daemon', '--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--pid-file='];

let dnsmasq: Listening;
beforeAllWithPrograms(async () => {
  const start = (port: number) =>
    new Program('dnsmasq', [...quiet, ...zone, '--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`]);
  dnsmasq = await startOnFreePort(start, /cleared cache/, 'stderr');
});
afterAll(() => dnsmasq?.[Symbol.asyncDispose]());

const found = (name: string) => ({ code: 0, truncated: false, records: [{ name, type: 'A', data: '192.0.2.1' }] });
const nothing = { code: 3, truncated: false, records: [] };
const options = { lengthField: 2 } as const;
const dial = () => connect({ host: '127.0.0.1', port: dnsmasq.port });

test('answers questions over TCP, one after the other on one connection', async () => {
  const session = framed<Buffer>(dial(), lengthPrefixedCodec(options));
  const ask = async (id: number, name: string) => {
    const next = firstValueFrom(session);
    session.next(encodeQuestion(id, name));
    return decodeAnswer(await next);
  };

  expect(await ask(1, 'one.test')).toEqual({ id: 1, ...found('one.test') });
  expect(await ask(2, 'nothing.test')).toEqual({ id: 2, ...nothing });
  expect(await ask(65_535, 'www.one.test')).toEqual({ id: 65_535, ...found('www.one.test') });
  expect(await session.socket.close()).toMatchObject({ by: 'local', how: 'fin' });
});

test('answers everything that was asked before our FIN', async () => {
  const ids = Array.from({ length: 50 }, (_, i) => i);
  const answers = flowFrom(ids).pipe(
    map((id) => encodeQuestion(id, 'one.test')),
    encode(lengthPrefixedCodec(options)),
    through(dial),
    lengthPrefixed(options),
    map(decodeAnswer),
    toArray(),
  );

  expect(await lastValueFrom(answers)).toEqual(ids.map((id) => ({ id, ...found('one.test') })));
});

test('answers many requests at once over UDP, each recognised by its id', async () => {
  const socket = udp.connect({ host: '127.0.0.1', port: dnsmasq.port });
  const ask = (id: number, name: string) => {
    const match = ({ data }: udp.Message) => data.readUInt16BE() === id;
    return udp
      .request(socket, encodeQuestion(id, name), { match, timeout: 5_000 })
      .pipe(map(({ data }) => decodeAnswer(data)));
  };
  const names = Array.from({ length: 20 }, (_, i) => (i % 2 ? 'one.test' : 'nothing.test'));

  const answers = await lastValueFrom(forkJoin(names.map((name, id) => ask(id, name))));

  expect(answers).toEqual(names.map((name, id) => ({ id, ...(id % 2 ? found(name) : nothing) })));
});
