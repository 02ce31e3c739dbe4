// A handler of serve() that continues with TLS in the middle of a conversation.
import { connect, data, listen, on, reader, type Socket, serve } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { certificateAuthority } from '../../../../tests/support/certificates.js';
import { record } from '../../../../tests/support/record.js';

test('the connection lives on, and no error is reported', async () => {
  const authority = await certificateAuthority();
  const pair = await authority.issue({ names: ['localhost'] });
  const server = listen();
  onTestFinished(() => server.close({ drain: 0 }));
  const starttls = async (plain: Socket) => {
    const lines = reader(plain);
    await lines.readLine();
    await plain.write('go ahead\n');
    const secure = upgrade(lines, { isServer: true, ...pair, allowHalfOpen: true });
    secure.pipe(data()).subscribe(secure);
    return 'this goes nowhere';
  };
  const { log } = record(server.pipe(serve(starttls)));
  const { address } = await firstValueFrom(server.pipe(on('listening')));

  const plain = connect({ port: address.port, host: '127.0.0.1' });
  const lines = reader(plain);
  await plain.write('STARTTLS\n');
  expect(await lines.readLine()).toBe('go ahead');
  const secure = upgrade(lines, { servername: 'localhost', ca: authority.cert });
  await secure.write('over TLS');
  secure.complete();
  const { log: received, ended } = record(secure.pipe(data()));

  expect(await ended).toEqual({});
  expect(received.join('')).toBe('over TLScomplete');
  expect(log).toEqual(['listening', 'connection']);
});
