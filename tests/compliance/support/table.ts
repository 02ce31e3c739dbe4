// The table: every behaviour against every transport.
import { topics } from '../behaviours/index.js';
import { transports } from '../transports/index.js';
import type { Compliance } from './compliance.js';
import { satisfies, type Transport } from './transport.js';

/** Runs everything except the test of the document itself, and writes the document. */
export const COMMAND =
  "npx vitest run --project compliance --exclude '**/table.test.ts' --reporter dot --reporter ./tests/compliance/reporter.ts";

const INTRODUCTION = `# What every transport does

One suite, \`tests/compliance\`, runs over every transport. Behaviours of two sockets are checked from the dialled end and
from the accepted end. ✓ marks a behaviour that holds, – a behaviour that needs something which the transport lacks:

- The pair in memory (\`socketPair\` of \`@rxsock/core/testing\`) has no server: it neither dials nor listens.
- UNIX sockets have no reset. An abort is an end at the peer, and so is everything else that discards bytes. There, a protocol
  must put the length into its messages, or it cannot tell a part from the whole.
- Over TLS an abort is always an error at the peer, and never an end. If the abort closely follows written bytes, the error
  may be that of a stream that was cut (\`ERR_TLS_TRUNCATED\`) in place of a \`ResetError\`.

This page is written by a run in which all behaviours passed, and only by one:

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
