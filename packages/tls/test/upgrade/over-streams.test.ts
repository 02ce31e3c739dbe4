// upgrade() over what is not a TCP connection: streams of the user, and sockets with paths.
import { data, fromDuplex, on, type Socket } from '@rxsock/core';
import { socketOver } from '@rxsock/core/internal';
import { upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { duplexPair } from '../../../../tests/support/duplex-pair.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { ca, localhost, type Version, versions } from '../support/identities.js';

const client = { ca, servername: 'localhost', allowHalfOpen: true } as const;
const server = { ...localhost, isServer: true, allowHalfOpen: true, keepOpen: true } as const;

/** Two connected sockets in memory. Each end receives what the other one writes during the write. */
async function upgradedPair(version: Version, betweenUpgrades = async () => {}) {
  const [near, far] = duplexPair().map((stream) => fromDuplex(stream, { keepOpen: true })) as [Socket, Socket];
  await Promise.all([near, far].map((socket) => firstValueFrom(socket.pipe(on('connect')))));
  const answering = upgrade(far, { ...server, maxVersion: version });
  await betweenUpgrades();
  const asking = upgrade(near, client);
  onTestFinished(() => {
    answering.error();
    asking.error();
  });
  return { asking, answering };
}

describe.each(versions)('over a Duplex, in %s', (version) => {
  test.each([
    ['in the turn of the upgrade', async () => {}],
    ['after it, and answers during the write', () => turns()],
  ])('a server reads what arrives %s', async (_, betweenUpgrades) => {
    const { asking, answering } = await upgradedPair(version, betweenUpgrades);
    const question = firstValueFrom(answering.pipe(data()));
    const answer = firstValueFrom(asking.pipe(data()));
    asking.next('question');
    expect(`${await question}`).toBe('question');
    answering.next('answer');
    expect(`${await answer}`).toBe('answer');
  });

  test('a long answer to a client that has ended its side arrives whole', async () => {
    const { asking, answering } = await upgradedPair(version);
    const question = record(answering.pipe(data()));
    const answer = record(asking.pipe(data()));
    asking.next('question');
    asking.complete();
    await question.ended;
    expect(question.log).toEqual(['question', 'complete']);
    // Node would end our side of the Duplex in one of these turns.
    await turns();
    answering.next(Buffer.alloc(300_000, 'a'));
    answering.complete();
    expect(await answer.ended).toEqual({});
    expect(Buffer.concat(answer.values).equals(Buffer.alloc(300_000, 'a'))).toBe(true);
  });
});

test('the upgraded socket has the addresses of the plain socket, which its stream may not know', async () => {
  const [stream] = duplexPair();
  const endpoints = () => ({ local: { path: '' }, remote: { path: '/run/smtp' } });
  const plain = socketOver(
    stream,
    { keepOpen: true },
    { type: 'unix', role: 'client', target: '/run/smtp', endpoints },
  );
  const { local, remote } = await firstValueFrom(plain.pipe(on('connect')));
  expect({ local, remote }).toEqual(endpoints());
  const secure = upgrade(plain, client);
  onTestFinished(() => secure.error());
  expect(await firstValueFrom(secure.pipe(on('connect')))).toEqual({ type: 'connect', ...endpoints() });
  expect([secure.local, secure.remote]).toEqual([plain.local, plain.remote]);
});
