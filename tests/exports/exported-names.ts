// Lists what an entry point exports, from its sources, types included.
// The version that the build uses has no API for programs.
import ts from 'typescript-6';
import { publishedPackages } from '../../scripts/lib/packages.mjs';

export interface EntryPoint {
  /** As a program imports it: `@rxsock/core/lookup`. */
  readonly name: string;
  /** One line for each name, with its kind: `class Socket`. Sorted by name. */
  readonly values: readonly string[];
  /** The same: `interface SocketOptions`. */
  readonly types: readonly string[];
}

/** Lists the names of every entry point in the `exports` of every package. */
export function entryPoints(): EntryPoint[] {
  const entries = publishedPackages().flatMap(({ entries }) => entries);
  // Names do not depend on the types of the language, of Node and of other packages: without those it takes no seconds.
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noLib: true, types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, ...rest) => (path.includes('/node_modules/') ? undefined : getSourceFile(path, ...rest));
  const program = ts.createProgram(
    entries.map(({ source }) => source),
    options,
    host,
  );
  const checker = program.getTypeChecker();
  return entries.map(({ name, source }) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(source)!)!;
    const names = checker.getExportsOfModule(module).map((symbol) => describe(symbol, checker));
    names.sort((a, b) => (a.name < b.name ? -1 : 1));
    const lines = (isType: boolean) =>
      names.filter((each) => each.isType === isType).map((each) => `${each.kind} ${each.name}`);
    return { name, values: lines(false), types: lines(true) };
  });
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
