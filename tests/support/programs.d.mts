export declare const debianPackages: Readonly<Record<string, string>>;
export declare function programFolders(): string[];
export declare function isInstalled(program: string): boolean;
export declare const MISSING: string;
