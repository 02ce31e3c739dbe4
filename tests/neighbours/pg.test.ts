// pg over a socket of ours, and a small server of PostgreSQL's protocol over connections that we accept.
import { connect, listen, reader, type Socket, toDuplex } from '@rxsock/core';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { serving } from '../interop/support.js';

const message = (type: string, ...parts: readonly (Buffer | string)[]) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.from(`${type}....`);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number) => Buffer.concat([int16(value >> 16), int16(value & 65_535)]);

const READY = message('Z', 'I');

/** The answer to a query: one row, with the text of the query in its one column. */
const row = (query: string) =>
  Buffer.concat([
    // The name of the column, its table, its number, the type text, its size, no modifier, the format text.
    message('T', int16(1), 'query\0', int32(0), int16(0), int32(25), int16(0xffff), int32(-1), int16(0)),
    message('D', int16(1), int32(query.length), query),
    message('C', 'SELECT 1\0'),
    READY,
  ]);

/** Answers each simple query. https://www.postgresql.org/docs/current/protocol-flow.html */
async function* postgres(socket: Socket): AsyncGenerator<Buffer> {
  using messages = reader(socket);
  await messages.read((await messages.read(4)).readInt32BE() - 4);
  yield Buffer.concat([message('R', int32(0)), READY]);
  for (;;) {
    const head = await messages.read(5);
    const body = await messages.read(head.readInt32BE(1) - 4);
    if (head[0] !== 'Q'.charCodeAt(0)) return;
    yield row(body.toString('utf8', 0, body.length - 1));
  }
}

test('a client of pg over a socket of ours, to a server of ours', async () => {
  const { address, errors } = await serving(listen(), postgres);
  const socket = connect({ port: address.port, host: '127.0.0.1' });
  // pg calls connect() of its stream, which dials on its own here.
  const stream = () => Object.assign(toDuplex(socket), { connect: () => {} });
  const client = new pg.Client({ user: 'joe', stream: stream as never, ssl: false });
  await client.connect();
  onTestFinished(() => client.end());
  const query = `select '${'x'.repeat(30_000)}'`;
  expect((await client.query(query)).rows).toEqual([{ query }]);
  await client.end();
  await vi.waitUntil(() => socket.readyState === 'closed');
  expect(errors).toEqual([]);
});
