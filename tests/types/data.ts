// What data() takes. Compiled, never run: it is right if it compiles.
import { connect, data, lines, reconnect } from '@rxsock/core';
import { filter, type Observable } from 'rxjs';

const dial = () => connect({ port: 80 });
const bytes: Observable<Buffer> = dial().pipe(data());
const filtered: Observable<Buffer> = dial().pipe(
  filter(({ type }) => type !== 'drain'),
  data(),
);

const reconnecting = reconnect(dial);
const read: Observable<string> = reconnecting.eachConnection((each) => each.pipe(lines()));
const readByOne: Observable<string> = reconnecting.eachConnection(lines());
const received = reconnecting.pipe(filter(({ type }) => type !== 'drain'));

// @ts-expect-error It would join the bytes of several connections: eachConnection reads them.
reconnecting.pipe(data());
// @ts-expect-error Also in front of a framing operator.
reconnecting.pipe(data(), lines());
// @ts-expect-error Also behind an operator that hides the reconnecting socket.
received.pipe(data());

export { bytes, filtered, read, readByOne };
