// The sidebar: the guides in a useful order, and whatever else is in docs/ after them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { publishedPackages, root } from '../../scripts/lib/packages.mjs';
import { apiEntries } from './entries.mjs';

/** The guides that have a place of their own, if they exist. All others follow in alphabetical order. */
const ORDER = [
  ['First steps', ['start', 'sockets', 'tasks', 'half-close', 'backpressure', 'operators']],
  ['Protocols', ['codecs', 'clients', 'servers', 'tls', 'unix', 'udp']],
  ['Testing', ['testing']],
  ['In production', ['deployment', 'scaling', 'observing', 'tuning', 'limits', 'queues', 'runtimes', 'packages']],
  ['When something fails', ['errors', 'questions']],
  ['Proof', ['reliability', 'compliance', 'conformance', 'mutation']],
];

const markdown = (pattern) => globSync(pattern, { cwd: root }).sort();

function pageItem(file) {
  const title = /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? file;
  return { text: title.replaceAll('`', ''), link: `/${file.replace(/README\.md$/, '').replace(/\.md$/, '')}` };
}

export function sidebar() {
  const placed = new Set(ORDER.flatMap(([, names]) => names.map((name) => `docs/${name}.md`)));
  const guides = markdown('docs/**/*.md');
  const groups = ORDER.map(([text, names]) => ({
    text,
    items: names
      .map((name) => `docs/${name}.md`)
      .filter((file) => guides.includes(file))
      .map(pageItem),
  }));
  const folders = new Map();
  for (const file of guides.filter((guide) => !placed.has(guide))) {
    const folder = file.split('/').slice(1, -1).join('/');
    folders.set(folder, [...(folders.get(folder) ?? []), pageItem(file)]);
  }
  const others = [...folders].map(([folder, items]) => ({ text: titleOf(folder), items }));
  const packages = publishedPackages().map(({ manifest }) => ({
    text: manifest.name,
    link: `/packages/${manifest.name.split('/')[1]}/`,
  }));
  return [
    ...groups,
    ...others,
    { text: 'Packages', items: packages },
    { text: 'Examples', link: '/examples/' },
    {
      text: 'API reference',
      link: '/api/',
      items: apiEntries().map(({ name }) => ({ text: name, link: `/api/${name}/` })),
    },
    {
      text: 'Project',
      items: markdown(['*.md', '!README.md', '{bench,fuzz,site,soak}/*.md']).map(pageItem),
    },
  ];
}

/** `coming-from` becomes `Coming from`. */
function titleOf(folder) {
  const words = folder.replaceAll('-', ' ');
  return words === '' ? 'More' : words[0].toUpperCase() + words.slice(1);
}
