// opened() of core over TLS: a socket is open when its handshake is over, and not before.
import { opened } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { ca, untrustedCa, versions } from '../support/identities.js';
import { dial, nodeServer } from '../support/peers.js';

test.each(versions)('emits after the handshake: %s', async (version) => {
  const { port } = await nodeServer({ maxVersion: version });
  const socket = dial({ port, ca, keepOpen: true });
  await firstValueFrom(opened(socket));
  expect(socket.readyState).toBe('open');
  expect(await firstValueFrom(opened(socket))).toBe(socket);
});

test('fails with the error of the handshake', async () => {
  const { port } = await nodeServer();
  await expect(firstValueFrom(opened(dial({ port, ca: untrustedCa })))).rejects.toMatchObject({
    name: 'CertificateError',
  });
});
