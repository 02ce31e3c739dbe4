// `setup` of reconnect() and connectionPool() that upgrades to TLS: users only ever see the secure socket.
import { connect, connectionPool, lines, listen, on, reader, reconnect, type Socket, serve } from '@rxsock/core';
import { upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { ca, localhost } from '../support/identities.js';
import { started } from '../support/peers.js';

/** A server that wants STARTTLS, then answers each line with its transport and ends after `quit`. */
async function startTlsServer() {
  const server = listen({ host: '127.0.0.1' });
  const seen = { connections: 0, logins: 0 };
  const talk = async (plain: Socket) => {
    const greeting = reader(plain);
    plain.next('220 ready\n');
    if ((await greeting.readLine()) !== 'STARTTLS') return;
    plain.next('220 go ahead\n');
    const secure = upgrade(greeting, { ...localhost, isServer: true });
    const session = reader(secure);
    for (let line = await session.readLine(); line !== undefined; line = await session.readLine()) {
      if (line === 'login') seen.logins++;
      secure.next(`${secure.type} ${line}\n`);
      if (line === 'quit') break;
    }
    secure.complete();
  };
  const counted = async (plain: Socket) => {
    seen.connections++;
    await talk(plain).finally(() => seen.connections--);
  };
  server.pipe(serve(counted)).subscribe();
  const { port } = await started(server);
  return { port, server: seen };
}

async function startTls(plain: Socket): Promise<Socket> {
  const bytes = reader(plain);
  expect(await bytes.readLine()).toBe('220 ready');
  plain.next('STARTTLS\n');
  expect(await bytes.readLine()).toBe('220 go ahead');
  return upgrade(bytes, { ca, servername: 'localhost' });
}

test('reconnect: what waits is written over TLS, on every connection', async () => {
  const { port } = await startTlsServer();
  const client = reconnect(() => connect({ host: '127.0.0.1', port }), { setup: startTls, backoff: { initial: 1 } });
  onTestFinished(() => client.error());
  const { log } = record(client.eachConnection((bytes) => bytes.pipe(lines())));
  const events = record(client);
  client.next('hello\nquit\n');
  await expect.poll(() => log).toEqual(['tls hello', 'tls quit']);
  client.next('again\n');
  await expect.poll(() => log).toEqual(['tls hello', 'tls quit', 'tls again']);
  expect(events.log.filter((type) => /connect$/i.test(type) && type !== 'disconnect')).toEqual([
    'connect',
    'secureConnect',
    'connect',
    'secureConnect',
  ]);
  expect(client.socket?.type).toBe('tls');
});

test('reconnect: a certificate that is not trusted is a failed attempt', async () => {
  const { port } = await startTlsServer();
  const setup = async (plain: Socket) => {
    const bytes = reader(plain);
    await bytes.readLine();
    plain.next('STARTTLS\n');
    await bytes.readLine();
    return upgrade(bytes, { servername: 'localhost' });
  };
  const client = reconnect(() => connect({ host: '127.0.0.1', port }), { setup, maxRetries: 0 });
  const { ended } = record(client);
  expect((await ended).error).toMatchObject({
    code: 'ERR_RECONNECT_EXHAUSTED',
    cause: { name: 'CertificateError', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
  });
});

test('connectionPool: acquire() gives the secure socket', async () => {
  const { port } = await startTlsServer();
  const pool = connectionPool(() => connect({ host: '127.0.0.1', port }), { setup: startTls, max: 1 });
  onTestFinished(() => pool.close({ drain: 0 }));
  const ask = (text: string) =>
    pool.use((socket) => {
      expect(socket.type).toBe('tls');
      const bytes = reader(socket);
      socket.next(`${text}\n`);
      return bytes.readLine().finally(() => bytes.release());
    });
  expect(await firstValueFrom(ask('one'))).toBe('tls one');
  expect(await firstValueFrom(ask('two'))).toBe('tls two');
  expect(pool.size).toBe(1);
});

test('a setup that forgets the upgraded socket is told so, and the connection is aborted', async () => {
  const { port, server } = await startTlsServer();
  const setup = async (plain: Socket) => void (await startTls(plain));
  const pool = connectionPool(() => connect({ host: '127.0.0.1', port }), { setup });
  expect((await record(pool.acquire()).ended).error).toMatchObject({
    code: 'ERR_SETUP_FAILED',
    message: 'The setup of the connection failed: it has upgraded the connection: return the new socket',
  });
  await expect.poll(() => server.connections).toBe(0);
  await pool.close();
});

/** A setup that upgrades and then waits for ever. */
const hang = async (plain: Socket) => {
  const secure = await startTls(plain);
  secure.next('login\n');
  await firstValueFrom(secure.pipe(on('close')));
};

test('an upgrade whose setup takes too long leaves no connection behind', async () => {
  const { port, server } = await startTlsServer();
  const setup = { setup: hang, setupTimeout: 300 };
  const client = reconnect(() => connect({ host: '127.0.0.1', port }), { ...setup, maxRetries: 0 });
  expect((await record(client).ended).error).toMatchObject({ cause: { code: 'ETIMEDOUT', timeout: 'setupTimeout' } });
  const pool = connectionPool(() => connect({ host: '127.0.0.1', port }), setup);
  expect((await record(pool.acquire()).ended).error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'setupTimeout' });
  await expect.poll(() => server.connections).toBe(0);
  await pool.close();
});

test.each(['leaving', 'error()', 'pool.close()'])(
  'an upgrade that is given up by %s leaves none either',
  async (how) => {
    const { port, server } = await startTlsServer();
    const secured = { setup: hang, setupTimeout: 0 };
    const dial = () => connect({ host: '127.0.0.1', port });
    const isLoggingIn = () => expect.poll(() => server.logins).toBe(1);
    if (how === 'pool.close()') {
      const pool = connectionPool(dial, secured);
      const { ended } = record(pool.acquire());
      await isLoggingIn();
      await pool.close({ drain: 0 });
      expect((await ended).error).toMatchObject({ code: 'ERR_POOL_CLOSED' });
    } else {
      const client = reconnect(dial, secured);
      const { subscription } = record(client);
      await isLoggingIn();
      if (how === 'leaving') subscription.unsubscribe();
      else client.error();
    }
    await expect.poll(() => server.connections).toBe(0);
  },
);

test('an upgrade that is given up while the plain socket emits close leaves none either', async () => {
  const { port, server } = await startTlsServer();
  const setup = (plain: Socket) => {
    plain.pipe(on('close')).subscribe(() => client.error());
    return startTls(plain);
  };
  const client = reconnect(() => connect({ host: '127.0.0.1', port }), { setup });
  expect((await record(client).ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  await expect.poll(() => server.connections).toBe(0);
});
