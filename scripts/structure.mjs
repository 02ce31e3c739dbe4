// Checks the rules of structure.cjs: npm run structure. An argument names a folder to check in place of the repository.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';

/** The repository has several times as many source files. */
const FEWEST_FILES = 150;

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const { forbidden, options } = createRequire(import.meta.url)(join(root, 'structure.cjs'));
const present = readdirSync(root);
const folders = ['packages', 'tests', 'examples', 'bench', 'scripts'].filter((folder) => present.includes(folder));
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((file) => `${folder}/${file}`)
    .filter((file) => /\.(ts|mjs)$/.test(file) && !/\.d\.m?ts$|\/(node_modules|dist)\//.test(file)),
);

const { output } = await cruise(folders, { ...options, baseDir: root, ruleSet: { forbidden }, validate: true });
const read = new Set(output.modules.map(({ source }) => source));

const problems = [
  // Without a version of TypeScript that it can use, dependency-cruiser reads nothing and reports no violation.
  ...(files.length < FEWEST_FILES ? [`Found only ${files.length} files, expected at least ${FEWEST_FILES}`] : []),
  ...files.filter((file) => !read.has(file)).map((file) => `Not read: ${file}`),
  ...new Set(output.summary.violations.map(describe)),
];
for (const problem of problems) console.error(problem);
console.log(`${files.length} files, ${output.summary.totalDependenciesCruised} imports, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** One line for a violation. A circle is reported once for each of its files: it always begins at the same one. */
function describe({ rule, from, to, cycle }) {
  if (!cycle) return `${rule.name}: ${from} → ${to}`;
  const names = cycle.map(({ name }) => name);
  const first = names.indexOf(names.toSorted()[0]);
  const circle = [...names.slice(first), ...names.slice(0, first)];
  return `${rule.name}: ${[...circle, circle[0]].join(' → ')}`;
}
