// Logs in to PostgreSQL, with SCRAM-SHA-256 or where no password is asked for.
import { reader, type Socket } from '@rxsock/core';
import { type Fields, postgresCodec, startup } from './postgres.js';
import { ScramLogin } from './scram.js';

export interface LoginOptions {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** What the server says about a login or a query that has failed. Its `code` is the SQLSTATE. */
export class PostgresError extends Error {
  readonly code: string;

  constructor({ C: code = '', M: message = 'The server does not say why' }: Fields) {
    super(message);
    this.code = code;
  }
}

// https://www.postgresql.org/docs/current/protocol-message-formats.html, all Authentication messages
const OK = 0;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

/** Logs in. Leaves the key that a CancelRequest needs in the `mark` of the socket. */
export async function logIn(socket: Socket, { user, password, database }: LoginOptions): Promise<void> {
  using messages = reader(socket);
  const scram = new ScramLogin(password);
  let isScram = false;
  const respond = (data: string | Buffer) => socket.next(postgresCodec.encode({ type: 'password', data }));
  socket.next(startup(user, database));
  for (;;) {
    const message = await messages.readFrame(postgresCodec);
    if (!message) throw new Error('The server ended the connection during the login');
    if (message.type === 'ready') return;
    if (message.type === 'error') throw new PostgresError(message.fields);
    if (message.type === 'backendKey') socket.mark = message.key;
    if (message.type !== 'authentication') continue;
    const { method, data } = message;
    if (method === SASL && data.toString().split('\0').includes('SCRAM-SHA-256')) {
      isScram = true;
      respond(initialResponse(scram.first));
    } else if (method === SASL_CONTINUE) respond(await scram.final(data.toString()));
    else if (method === SASL_FINAL) scram.verify(data.toString());
    else if (method !== OK) throw new Error(`The server asks for a login that is not supported (${method})`);
    else if (isScram && !scram.isVerified) throw new Error('The server did not prove that it knows the password');
  }
}

function initialResponse(first: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(first));
  return Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), length, Buffer.from(first)]);
}
