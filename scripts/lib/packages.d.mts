/** What programs import, and its source file. */
export interface EntryPoint {
  readonly name: string;
  /** The declarations that the build writes. */
  readonly types: string;
  readonly source: string;
}

export interface PublishedPackage {
  readonly folder: string;
  readonly manifest: {
    readonly name: string;
    readonly version: string;
    readonly exports: Readonly<Record<string, unknown>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
    readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  };
  readonly entries: readonly EntryPoint[];
}
export declare const root: string;
export declare const pnpm: string;
export declare function publishedPackages(): PublishedPackage[];
export declare function packAll(to: string): Promise<string[]>;
