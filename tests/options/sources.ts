// Reads from the sources which public functions and methods take options, and the names of these options.
//
// The parser is Vite's. Types are resolved by name through the imports of each file: interfaces with what they extend,
// intersections, unions, object types, arrays, and Pick and Omit. Types of other packages count only inside a Pick.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAst } from 'vitest/node';
import { root } from '../support/snippets.js';

// biome-ignore lint/suspicious/noExplicitAny: a syntax tree, of which only a few kinds of nodes are looked at
type Node = any;

interface Module {
  /** Top-level declarations by name. */
  readonly declarations: ReadonlyMap<string, Node>;
  /** Where a name comes from that is imported or exported again. */
  readonly origins: ReadonlyMap<string, { readonly file: string; readonly name: string }>;
}

const entries: Readonly<Record<string, string>> = {
  core: 'packages/core/src/index.ts',
  registry: 'packages/core/src/registry/index.ts',
  lookup: 'packages/core/src/lookup/index.ts',
  process: 'packages/core/src/process/index.ts',
  proxy: 'packages/core/src/proxy/index.ts',
  diagnostics: 'packages/core/src/diagnostics/index.ts',
  metrics: 'packages/core/src/metrics/index.ts',
  capture: 'packages/core/src/capture/index.ts',
  testing: 'packages/core/src/testing/index.ts',
  'fast-check': 'packages/core/src/fast-check/index.ts',
  tls: 'packages/tls/src/index.ts',
  unix: 'packages/unix/src/index.ts',
  udp: 'packages/udp/src/index.ts',
  inspector: 'packages/inspector/src/index.ts',
};

/** The types that are options by another name. */
const OPTIONS = /Options$|Identity$|^Membership$/;

/**
 * Returns the names of the options of every public function and method, by its name: `core connect`, `core
 * Socket.close`. An option that has options itself has a name of its own: `core reconnect backoff`.
 */
export function publicOptions(): Map<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [entry, file] of Object.entries(entries)) {
    for (const [name, origin] of moduleOf(file).origins) {
      const declaration = moduleOf(origin.file).declarations.get(origin.name);
      for (const [method, parameters] of callables(declaration))
        collect(`${entry} ${name}${method}`, origin.file, parameters, found);
    }
  }
  return found;
}

/** The parameters of a function, or of each public method of a class. */
function callables(declaration: Node): [string, Node[]][] {
  if (declaration?.type === 'TSDeclareFunction' || declaration?.type === 'FunctionDeclaration')
    return [['', declaration.params]];
  if (declaration?.type !== 'ClassDeclaration') return [];
  return declaration.body.body
    .filter(
      (member: Node) =>
        member.type === 'MethodDefinition' && member.kind === 'method' && member.key.type === 'Identifier',
    )
    .map((member: Node) => [`.${member.key.name}`, member.value.params]);
}

function collect(id: string, file: string, parameters: Node[], found: Map<string, Set<string>>): void {
  for (const parameter of parameters) {
    const type = (parameter.type === 'AssignmentPattern' ? parameter.left : parameter).typeAnnotation?.typeAnnotation;
    if (type && isOptions(type)) add(id, properties(file, type), found);
  }
}

function add(id: string, options: ReadonlyMap<string, Property>, found: Map<string, Set<string>>): void {
  const names = found.get(id) ?? new Set();
  found.set(id, names);
  for (const [name, { file, type }] of options) {
    names.add(name);
    for (const nested of optionTypesIn(type)) add(`${id} ${name}`, properties(file, nested), found);
  }
}

/** A parameter with options: a type of that name, alone or in an intersection or a Pick, or an object type. */
function isOptions(type: Node): boolean {
  if (type.type === 'TSTypeLiteral') return type.members.some((member: Node) => member.optional);
  if (type.type === 'TSIntersectionType' || type.type === 'TSUnionType') return type.types.some(isOptions);
  if (type.type !== 'TSTypeReference') return false;
  const name = nameOf(type.typeName);
  return OPTIONS.test(name) || ((name === 'Pick' || name === 'Partial') && isOptions(type.typeArguments.params[0]));
}

/**
 * The options inside the type of an option: `Options`, `readonly Options[]`, `Record<string, Options>`, an object type.
 */
function optionTypesIn(type: Node): Node[] {
  if (!type) return [];
  if (type.type === 'TSTypeLiteral') return [type];
  if (type.type === 'TSTypeOperator') return optionTypesIn(type.typeAnnotation);
  if (type.type === 'TSArrayType') return optionTypesIn(type.elementType);
  if (type.type === 'TSUnionType') return type.types.flatMap(optionTypesIn);
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return [];
  if (OPTIONS.test(type.typeName.name)) return [type];
  return (type.typeArguments?.params ?? []).flatMap(optionTypesIn);
}

/** An option, and the file that its type is written in. */
interface Property {
  readonly file: string;
  readonly type: Node;
}

function properties(file: string, type: Node): Map<string, Property> {
  const parts = (types: Node[]) => new Map(types.flatMap((each) => [...properties(file, each)]));
  if (type.type === 'TSParenthesizedType') return properties(file, type.typeAnnotation);
  if (type.type === 'TSIntersectionType' || type.type === 'TSUnionType') return parts(type.types);
  if (type.type === 'TSTypeLiteral') return members(file, type.members);
  if (type.type !== 'TSTypeReference' && type.type !== 'TSInterfaceHeritage') return new Map();
  const name = nameOf(type.typeName ?? type.expression);
  const [base, keys] = type.typeArguments?.params ?? [];
  if (name === 'Pick') return picked(file, base, literals(keys));
  if (name === 'Omit' || name === 'Partial')
    return without(properties(file, base), name === 'Omit' ? literals(keys) : []);
  return declared(file, name);
}

function declared(file: string, name: string): Map<string, Property> {
  const { declarations, origins } = moduleOf(file);
  const declaration = declarations.get(name);
  if (declaration?.type === 'TSTypeAliasDeclaration') return properties(file, declaration.typeAnnotation);
  if (declaration?.type === 'TSInterfaceDeclaration') {
    const inherited = (declaration.extends ?? []).flatMap((each: Node) => [...properties(file, each)]);
    return new Map([...inherited, ...members(file, declaration.body.body)]);
  }
  const origin = origins.get(name);
  if (!origin) throw new Error(`${file}: the type ${name} is not found`);
  return declared(origin.file, origin.name);
}

function members(file: string, list: Node[]): Map<string, Property> {
  const signatures = list.filter((member) => member.type === 'TSPropertySignature');
  return new Map(signatures.map((member) => [member.key.name, { file, type: member.typeAnnotation?.typeAnnotation }]));
}

function picked(file: string, base: Node, keys: string[]): Map<string, Property> {
  const all = base.typeName.type === 'TSQualifiedName' ? new Map<string, Property>() : properties(file, base);
  return new Map(keys.map((key) => [key, all.get(key) ?? { file, type: undefined }]));
}

const without = (all: Map<string, Property>, keys: string[]) =>
  new Map([...all].filter(([key]) => !keys.includes(key)));
const literals = (type: Node): string[] =>
  type.type === 'TSUnionType' ? type.types.flatMap(literals) : [String(type.literal.value)];
const nameOf = (name: Node): string => (name.type === 'Identifier' ? name.name : nameOf(name.right ?? name.property));

const modules = new Map<string, Module>();

function moduleOf(file: string): Module {
  const known = modules.get(file);
  if (known) return known;
  const declarations = new Map<string, Node>();
  const origins = new Map<string, { file: string; name: string }>();
  const module = { declarations, origins };
  modules.set(file, module);
  const { body } = parseAst(readFileSync(join(root, file), 'utf8'), { lang: 'ts' }) as unknown as { body: Node[] };
  for (const statement of body) {
    const declaration = statement.declaration ?? statement;
    // Of overloads the last one counts: the implementation takes all of their options.
    if (declaration.id) declarations.set(declaration.id.name, declaration);
    for (const { id, init } of declaration.declarations ?? []) {
      if (init?.type === 'ArrowFunctionExpression') declarations.set(id.name, { ...init, type: 'FunctionDeclaration' });
    }
    const from = statement.source && resolveModule(file, statement.source.value);
    for (const { imported, local, exported } of from ? (statement.specifiers ?? []) : []) {
      const name = (exported ?? local).name;
      origins.set(name, { file: from, name: ((exported ? local : imported) ?? local).name });
    }
  }
  return module;
}

function resolveModule(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(file), specifier.replace(/\.js$/, '.ts'));
  const [, name, room = 'index'] = /^@rxsock\/([a-z]+)(?:\/([a-z-]+))?$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  return `packages/${name}/src/${['index', 'internal'].includes(room) ? room : `${room}/index`}.ts`;
}
