// Lists what an entry point exports, from its sources, types included.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
// The version that the build uses has no API for programs.
import ts from 'typescript-6';
import { filesOf, root } from '../support/snippets.js';

export interface EntryPoint {
  /** As a program imports it: `@rxsock/core/lookup`. */
  readonly name: string;
  /** One line for each name, with its kind: `class Socket`. Sorted by name. */
  readonly values: readonly string[];
  /** The same: `interface SocketOptions`. */
  readonly types: readonly string[];
}

/** Lists the names of every entry point in the `exports` of every package. */
export async function entryPoints(): Promise<EntryPoint[]> {
  const sources = await sourcesByName();
  // Names do not depend on the types of the language, of Node and of other packages: without those it takes no seconds.
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noLib: true, types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, ...rest) => (path.includes('/node_modules/') ? undefined : getSourceFile(path, ...rest));
  const program = ts.createProgram([...sources.values()], options, host);
  const checker = program.getTypeChecker();
  return [...sources].map(([name, path]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
    const names = checker.getExportsOfModule(module).map((symbol) => describe(symbol, checker));
    names.sort((a, b) => (a.name < b.name ? -1 : 1));
    const lines = (isType: boolean) =>
      names.filter((each) => each.isType === isType).map((each) => `${each.kind} ${each.name}`);
    return { name, values: lines(false), types: lines(true) };
  });
}

/** The source file of each entry point. */
async function sourcesByName(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const file of (await filesOf('packages/*/package.json')).sort()) {
    const { name, exports } = JSON.parse(await readFile(join(root, file), 'utf8')) as {
      name: string;
      exports: Record<string, string | { readonly module: string }>;
    };
    for (const [subpath, built] of Object.entries(exports)) {
      if (typeof built === 'string') continue;
      const source = built.module.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
      sources.set(join(name, subpath), join(root, file, '..', source));
    }
  }
  return sources;
}

const kinds: readonly (readonly [ts.SymbolFlags, string])[] = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'const'],
  [ts.SymbolFlags.Interface, 'interface'],
  [ts.SymbolFlags.TypeAlias, 'type'],
];

function describe(symbol: ts.Symbol, checker: ts.TypeChecker) {
  const typeOnly = symbol.declarations?.some((declaration) => ts.isTypeOnlyImportOrExportDeclaration(declaration));
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const kind = kinds.find(([flag]) => target.flags & flag)?.[1];
  if (!kind) throw new Error(`${symbol.name} is exported, but no module declares it`);
  return { name: symbol.name, kind, isType: typeOnly === true || (target.flags & ts.SymbolFlags.Value) === 0 };
}
