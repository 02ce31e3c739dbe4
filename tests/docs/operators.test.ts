// The pictures of the operators are true: their rows are run as marbles, in virtual time.
import { delimited, fixedLength, lengthPrefixed, limitRate, lines, mapWithBackpressure } from '@rxsock/core';
import { map, type OperatorFunction, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expect, test } from 'vitest';
import { type Snippet, snippetsOf } from '../support/snippets.js';

const takesThree = (value: unknown) => timer(3).pipe(map(() => value));

/** The operators of the pictures, by their text. */
// biome-ignore lint/suspicious/noExplicitAny: each of them has other types
const operators: Readonly<Record<string, () => OperatorFunction<any, any>>> = {
  'lines()': () => lines(),
  "lines({ trailing: 'error' })": () => lines({ trailing: 'error' }),
  "delimited(';')": () => delimited(';'),
  'lengthPrefixed({ lengthField: 1 })': () => lengthPrefixed({ lengthField: 1 }),
  'fixedLength(2)': () => fixedLength(2),
  'mapWithBackpressure(takes 3)': () => mapWithBackpressure(takesThree),
  'mapWithBackpressure(takes 3, { concurrency: 2 })': () => mapWithBackpressure(takesThree, { concurrency: 2 }),
  'limitRate({ bytes: 1, per: 3, burst: 1 })': () => limitRate({ bytes: 1, per: 3, burst: 1 }),
};

/** A row of a picture, and the values of its letters, with bytes in place of circled digits. */
function parseRow(text: string): { marbles: string; values?: Record<string, string> } {
  const [marbles = '', ...names] = text.trim().split('\n');
  const values = names.map((line) => line.split(' := ') as [string, string]);
  const byte = (digit: string) => String.fromCharCode(digit.charCodeAt(0) - 0x245f);
  const decoded = values.map(([name, value]) => [name, value.replace(/[①-⑨]/g, byte).replaceAll('⏎', '\n')]);
  return names.length === 0 ? { marbles } : { marbles, values: Object.fromEntries(decoded) };
}

const pictures: Snippet[] = await snippetsOf('docs/operators.md', 'marble [^\\n]*');

test.each(pictures.map(({ code, line }) => ({ line, code })))('the picture in line $line is true', ({ code }) => {
  const [input, name = '', output] = code.split(/^> (.*)$/m);
  const source = parseRow(input!);
  const result = parseRow(output!);
  const operator = operators[name];
  expect(operator, name).toBeDefined();
  const scheduler = new TestScheduler((actual, expected) => {
    const withoutErrors = actual.map(({ frame, notification: { kind, value } }: Notified) => ({
      frame,
      kind,
      value: value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    }));
    expect(withoutErrors).toEqual(
      expected.map(({ frame, notification: { kind, value } }: Notified) => ({ frame, kind, value })),
    );
  });
  scheduler.run(({ cold, expectObservable }) => {
    const chunks = cold(source.marbles, source.values).pipe(
      map((value) => (source.values ? Buffer.from(value) : value)),
    );
    expectObservable(chunks.pipe(operator!())).toBe(result.marbles, result.values);
  });
});

interface Notified {
  readonly frame: number;
  readonly notification: { readonly kind: string; readonly value?: unknown };
}
