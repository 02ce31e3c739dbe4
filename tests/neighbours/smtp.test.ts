// nodemailer and smtp-server over sockets of ours, with STARTTLS over them.
import { once } from 'node:events';
import type net from 'node:net';
import { text } from 'node:stream/consumers';
import { connect, listen, type SocketDuplex, toDuplex } from '@rxsock/core';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { duplexServer } from '../support/duplex-server.js';
import { listenNode } from '../support/node-server.js';

const mail = { from: 'joe@localhost', to: 'jane@localhost', subject: 'hello', text: 'line\r\n'.repeat(20_000) };

function smtpServer(options: { secure?: boolean } = {}): { server: SMTPServer; mails: string[] } {
  const mails: string[] = [];
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    disableReverseLookup: true,
    ...options,
    onData: (stream, _session, done) =>
      void text(stream).then((message) => {
        mails.push(message);
        done();
      }),
  });
  server.on('error', () => {});
  return { server, mails };
}

async function send(options: { port?: number; secure?: boolean; connection?: SocketDuplex }): Promise<void> {
  const transport = nodemailer.createTransport({
    host: 'localhost',
    requireTLS: !options.secure,
    tls: { ca: cert },
    ...options,
    connection: options.connection as unknown as net.Socket,
  });
  onTestFinished(() => transport.close());
  await transport.sendMail(mail);
}

describe.each([
  ['STARTTLS', false],
  ['TLS from the start', true],
])('%s', (_, secure) => {
  test('a client of nodemailer over a socket of ours', async () => {
    const { server, mails } = smtpServer({ secure });
    const port = await listenNode(server.server);
    const socket = connect({ port, host: '127.0.0.1' });
    const connection = toDuplex(socket);
    await once(connection, 'connect');
    await send({ connection, secure });
    expect(mails).toEqual([expect.stringContaining(mail.text)]);
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('a server of smtp-server over connections that we accept', async () => {
    const { server, mails } = smtpServer({ secure });
    const port = await duplexServer(listen(), (duplex) => server.server.emit('connection', duplex));
    await send({ port, secure });
    expect(mails).toEqual([expect.stringContaining(mail.text)]);
  });
});
