// Checks the rules in structure.cjs: npm run structure. An argument names a folder to check instead of the repository.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';

/** With fewer files than this the search for files must have failed: the repository has several times as many. */
const MIN_FILES = 150;

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const { forbidden, options } = createRequire(import.meta.url)(join(root, 'structure.cjs'));
const present = readdirSync(root);
const folders = ['packages', 'tests', 'examples', 'bench', 'fuzz', 'soak', 'scripts'].filter((folder) =>
  present.includes(folder),
);
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((file) => `${folder}/${file}`)
    .filter((file) => /\.(ts|mjs)$/.test(file) && !/\.d\.m?ts$|\/(node_modules|dist)\//.test(file)),
);

const { output } = await cruise(folders, { ...options, baseDir: root, ruleSet: { forbidden }, validate: true });
const readFiles = new Set(output.modules.map(({ source }) => source));

const problems = [
  ...(files.length < MIN_FILES ? [`Found only ${files.length} files, expected at least ${MIN_FILES}`] : []),
  // If dependency-cruiser finds no TypeScript version that it supports, it reads no file and reports no violation.
  ...files.filter((file) => !readFiles.has(file)).map((file) => `Not read: ${file}`),
  ...new Set(output.summary.violations.map(describe)),
];
for (const problem of problems) console.error(problem);
console.log(`${files.length} files, ${output.summary.totalDependenciesCruised} imports, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

/**
 * Describes a violation in one line. A circle is reported once for each of its files. Its line always begins at the
 * same file, so that all its reports are equal.
 */
function describe({ rule, from, to, cycle }) {
  if (!cycle) return `${rule.name}: ${from} → ${to}`;
  const names = cycle.map(({ name }) => name);
  const first = names.indexOf(names.toSorted()[0]);
  const circle = [...names.slice(first), ...names.slice(0, first)];
  return `${rule.name}: ${[...circle, circle[0]].join(' → ')}`;
}
