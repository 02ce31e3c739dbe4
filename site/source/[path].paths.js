// A page for each source file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/packages.mjs';
import { sources } from '../lib/sources.mjs';

/** Tests are long and many: without colors and line numbers the site has half the size. */
const languageOf = (path) => (path.startsWith('examples/') ? 'ts' : 'text');

export default {
  paths: () =>
    sources.map((path) => ({
      params: { path },
      content: `# ${path}\n\n\`\`\`\`${languageOf(path)}\n${readFileSync(join(root, path), 'utf8')}\`\`\`\`\n`,
    })),
};
