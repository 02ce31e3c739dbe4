// The codecs of the clients, and a server that does not know the password.
import { verifyCodec } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MqttPacket, mqttCodec } from '../../examples/clients/codecs/mqtt.js';
import { logIn } from '../../examples/clients/codecs/postgres-login.js';
import { ScramLogin } from '../../examples/clients/codecs/scram.js';
import { pair } from '../support/raw-peers.js';

describe('MQTT', () => {
  const id = fc.integer({ min: 1, max: 65_535 });
  const packets: fc.Arbitrary<MqttPacket> = fc.oneof(
    fc.record({ type: fc.constant('puback' as const), id }),
    fc.record(
      {
        type: fc.constant('publish' as const),
        topic: fc.stringMatching(/^[a-zäöü/]+$/),
        payload: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        id,
        dup: fc.constant(true),
        retain: fc.constant(true),
      },
      { requiredKeys: ['type', 'topic', 'payload'] },
    ),
  );

  test('the codec keeps the rules of codecs', () => verifyCodec(mqttCodec, { values: packets }));

  test.each([
    ['a QoS that is not supported', '34 00'],
    ['flags that a packet cannot have', '41 02 00 01'],
    ['a topic that is longer than its packet', '30 03 00 05 61'],
    ['an id that is cut', '32 04 00 01 61 00'],
    ['a PUBACK that is too long', '40 03 00 01 00'],
    ['a packet that only a client sends', 'c0 00'],
  ])('refuses %s', (_what, hex) => {
    const decoder = mqttCodec.decoder();
    decoder.push(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'ERR_FRAME_MALFORMED' }));
  });
});

describe('SCRAM', () => {
  test.each([
    ['another nonce', 'r=other,s=c2FsdA==,i=4096'],
    ['no iterations', 'r=NONCEx,s=c2FsdA==,i=0'],
    ['more iterations than a login needs', 'r=NONCEx,s=c2FsdA==,i=1000000000'],
  ])('refuses a server with %s', async (_what, answer) => {
    const login = new ScramLogin('secret');
    const nonce = login.first.slice('n,,n=,r='.length);
    await expect(login.final(answer.replace('NONCE', nonce))).rejects.toThrow(/^The server /);
  });

  test('refuses a server that lets it in without proving that it knows the password', async () => {
    const { socket, peer } = await pair();
    const refused = expect(logIn(socket, { user: 'joe', database: 'joe', password: 'secret' })).rejects.toThrow(
      'The server did not prove that it knows the password',
    );
    const askForScram = 'R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0';
    const letIn = 'R\0\0\0\x08\0\0\0\0';
    peer.write(askForScram + letIn);
    await refused;
  });

  test('refuses a server whose proof is wrong', async () => {
    const login = new ScramLogin('secret');
    const nonce = login.first.slice('n,,n=,r='.length);
    await login.final(`r=${nonce}x,s=c2FsdA==,i=1`);
    expect(() => login.verify(`v=${Buffer.alloc(32).toString('base64')}`)).toThrow('does not know the password');
    expect(() => login.verify('v=')).toThrow('does not know the password');
    expect(login.isVerified).toBe(false);
  });
});
