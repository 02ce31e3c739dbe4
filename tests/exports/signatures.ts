// The public signatures of every entry point, as API Extractor reports them. It reads what the build has declared.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { publishedPackages, root } from '../../scripts/lib/packages.mjs';

export interface Signatures {
  /** As a program imports it: `@rxsock/core/lookup`. */
  readonly name: string;
  /** A Markdown file. */
  readonly report: string;
}

const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules', '@types')],
  strict: true,
  skipLibCheck: true,
};

/** All entry points but `internal`, which is not for users. */
const entries = publishedPackages()
  .flatMap(({ folder, entries }) => entries.map(({ name, types }) => ({ name, types, folder })))
  .filter(({ name }) => name !== '@rxsock/core/internal');

export const reportedNames = entries.map(({ name }) => name);

export function signatures(): Signatures[] {
  const reports = mkdtempSync(join(tmpdir(), 'rxsock-signatures-'));
  try {
    const configs = entries.map(({ types, folder }) => configFor(types, folder, reports));
    // One program for all of them.
    const additionalEntryPoints = entries.map(({ types }) => types);
    const compilerState = CompilerState.create(configs[0]!, { additionalEntryPoints });
    return entries.map(({ name }, index) => {
      const { reportFilePath } = configs[index]!;
      Extractor.invoke(configs[index]!, {
        compilerState,
        localBuild: true,
        messageCallback: (message) => {
          message.handled = true;
          if (message.logLevel === ExtractorLogLevel.Error) throw new Error(`${name}: ${message.text}`);
        },
      });
      return { name, report: readFileSync(reportFilePath, 'utf8') };
    });
  } finally {
    rmSync(reports, { recursive: true });
  }
}

function configFor(types: string, folder: string, reports: string): ExtractorConfig {
  const nothing = { default: { logLevel: ExtractorLogLevel.None } };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      compiler: { overrideTsconfig: { compilerOptions, files: [types] } },
      apiReport: {
        enabled: true,
        reportFileName: types.slice(folder.length).replaceAll('/', '-'),
        reportFolder: reports,
        reportTempFolder: join(reports, 'temporary'),
      },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: nothing,
        tsdocMessageReporting: nothing,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
}
