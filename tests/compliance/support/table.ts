// The table: every behaviour against every transport.
import { topics } from '../behaviours/index.js';
import { transports } from '../transports/index.js';
import type { Compliance } from './compliance.js';
import { satisfies, type Transport } from './transport.js';

/** Runs everything but the test of the document itself, and writes it. */
export const COMMAND =
  "npx vitest run --project compliance --exclude '**/table.test.ts' --reporter dot --reporter ./tests/compliance/reporter.ts";

const INTRODUCTION = `# What every transport does

One suite, \`tests/compliance\`, runs over every transport: what two sockets do is checked from the end that dialled and from
the end that was accepted. ✓ is a behaviour that holds, – one for which a transport has not what it takes:

- The pair in memory (\`socketPair\` of \`@rxsock/core/testing\`) has no server: it neither dials nor listens.
- UNIX sockets have no reset. An abort is an end at the peer, as is all that discards bytes: a protocol whose messages do not
  tell their own length cannot tell a part from the whole there.
- Over TLS an abort is always an error at the peer, and never an end. Where it closely follows what was sent, that may be
  the error of a stream which was cut (\`ERR_TLS_TRUNCATED\`) in place of a \`ResetError\`.

This page is made by a run in which all passed, and in no other way:

\`\`\`sh
${COMMAND}
\`\`\`
`;

/** @param passed Whether all tests of a behaviour passed over a transport. */
export function table(passed: (row: Compliance) => boolean): string {
  const header = [row(['', ...transports.map(({ name }) => name)]), row(['---', ...transports.map(() => ':-:')])];
  const sections = topics.flatMap(({ title, behaviours }) => [
    `## ${title}\n`,
    ...header,
    ...behaviours.map(({ name, needs }) => {
      const mark = (transport: Transport) => {
        if (!satisfies(transport, needs)) return '–';
        return passed({ transport: transport.name, topic: title, behaviour: name }) ? '✓' : '✗';
      };
      return row([name, ...transports.map(mark)]);
    }),
    '',
  ]);
  return [INTRODUCTION, ...sections].join('\n');
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
