export interface BundledTests {
  readonly runner: string;
  readonly bundles: ReadonlyMap<string, string>;
  remove(): void;
}

export function bundleTests(files: readonly string[]): Promise<BundledTests>;
