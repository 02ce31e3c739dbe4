// The events of a stream that is still dialling when it becomes a socket.
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { type DialEvent, onDialEvents } from '../../src/engine/dial-events.js';

test.each<[string, unknown[], DialEvent | undefined]>([
  ['lookup', [null, '1.2.3.4', 4, 'a.test'], { type: 'lookup', host: 'a.test', address: '1.2.3.4', family: 'IPv4' }],
  ['lookup', [null, '::1', 6, 'a.test'], { type: 'lookup', host: 'a.test', address: '::1', family: 'IPv6' }],
  ['lookup', [new Error('ENOTFOUND'), undefined, undefined, 'a.test'], undefined],
  ['connectionAttempt', ['::1', 7, 6], { type: 'connectionAttempt', address: '::1', port: 7 }],
  [
    'connectionAttemptFailed',
    ['::1', 7, 6, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })],
    { type: 'connectionAttemptFailed', address: '::1', port: 7, code: 'ECONNREFUSED' },
  ],
  [
    'connectionAttemptFailed',
    ['::1', 7, 6, new Error('without a code')],
    { type: 'connectionAttemptFailed', address: '::1', port: 7, code: 'EIO' },
  ],
  [
    'connectionAttemptTimeout',
    ['::1', 7, 6],
    { type: 'connectionAttemptFailed', address: '::1', port: 7, code: 'ETIMEDOUT' },
  ],
])('%s with %j', (name, args, event) => {
  const stream = new EventEmitter();
  const events: DialEvent[] = [];
  onDialEvents(
    (each) => events.push(each),
    (each, listener) => stream.on(each, listener as never),
  );
  stream.emit(name, ...args);
  expect(events).toEqual(event ? [event] : []);
});
