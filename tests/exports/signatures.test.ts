// signatures/ has the public signatures of every entry point, so that a change of them is seen in a review. To accept one:
// npm run exports
import { beforeAll, expect, test } from 'vitest';
import { reportedNames, type Signatures, signatures } from './signatures.js';

let all: Signatures[];
beforeAll(() => {
  all = signatures();
}, 60_000);

test.each(reportedNames)('%s has the signatures that were accepted', async (name) => {
  const { report } = all.find((each) => each.name === name)!;
  const message = 'The signatures have changed. To accept them: npm run build && npm run exports';
  const file = `signatures/${name.replace('@rxsock/', '').replaceAll('/', '-')}.api.md`;
  await expect(report, message).toMatchFileSnapshot(file);
});
