// exports.md lists every public name, so that a change of them is seen in a review. To accept one: npm run exports
import { beforeAll, expect, test } from 'vitest';
import { type EntryPoint, entryPoints } from './exported-names.js';

/** How many names the main entry point of core may have. */
const MOST_NAMES = 124;

/** Names that do not count, by the reason why they are there all the same. */
const reasons: Readonly<Record<string, readonly string[]>> = {
  'The type of one event each: for handlers that are functions of their own': [
    'CloseEvent',
    'ConnectEvent',
    'ConnectionAttemptEvent',
    'ConnectionAttemptFailedEvent',
    'ConnectionErrorEvent',
    'ConnectionEvent',
    'DataEvent',
    'DisconnectEvent',
    'DrainEvent',
    'DrainingEvent',
    'DropEvent',
    'EndEvent',
    'FinishEvent',
    'ListeningEvent',
    'LookupEvent',
    'OverflowEvent',
    'ReconnectEvent',
    'RetryEvent',
    'SecureConnectEvent',
    'ServerCloseEvent',
    'TimeoutEvent',
  ],
  'The values of one option each: for wrappers of a codec': [
    'ByteOrder',
    'LengthField',
    'OversizePolicy',
    'TrailingPolicy',
  ],
  'The options or the result of one function: for wrappers of it': [
    'Connector',
    'ExchangeOptions',
    'FrameMapping',
    'HeaderCodec',
    'HeaderFrameOptions',
    'KeepAliveOptions',
    'LimitRateOptions',
    'SaveToOptions',
    'SocketDuplex',
  ],
};

let entries: EntryPoint[];
beforeAll(() => {
  entries = entryPoints();
}, 60_000);

test('exports.md lists the names that the sources export', async () => {
  const sections = entries.map(({ name, values, types }) => {
    const lists = [`${values.length} values`, ...values, '', `${types.length} types`, ...types];
    return [`## ${name}`, '', '```', ...lists, '```', ''].join('\n');
  });
  const head = ['# Exported names', '', 'Written by `npm run exports`: do not edit.', ''].join('\n');
  const message = 'The exported names have changed. To accept them: npm run exports';
  await expect([head, ...sections].join('\n'), message).toMatchFileSnapshot('exports.md');
});

test(`the main entry point has at most ${MOST_NAMES} names, and a reason for each other one`, () => {
  const { values, types } = entries.find(({ name }) => name === '@rxsock/core')!;
  const names = [...values, ...types].map((line) => line.split(' ')[1]!);
  const excused = Object.values(reasons).flat();
  expect(excused.filter((name) => !names.includes(name))).toEqual([]);
  expect(names.filter((name) => !excused.includes(name)).length).toBeLessThanOrEqual(MOST_NAMES);
});

test('no name of core has two entry points', () => {
  const places = new Map<string, string[]>();
  const isPublic = ({ name }: EntryPoint) => name.startsWith('@rxsock/core') && name !== '@rxsock/core/internal';
  for (const { name, values, types } of entries.filter(isPublic)) {
    for (const line of [...values, ...types]) places.set(line, [...(places.get(line) ?? []), name]);
  }
  expect([...places].filter(([, names]) => names.length > 1)).toEqual([]);
});
