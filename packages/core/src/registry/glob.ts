// Wildcards in the names of sockets.
import picomatch from 'picomatch';

/** Whether there is a wildcard in this. */
export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/**
 * Tells the names that match a pattern: `*` stands for any characters or none, `?` for one, all others for themselves.
 * @throws TypeError unless the pattern is a string that is not empty.
 */
export function glob(pattern: string): (name: string) => boolean {
  if (typeof pattern !== 'string' || pattern === '') throw new TypeError('A pattern must be a string, and not empty');
  const wildcards: Record<string, string> = { '*': '*', '?': 'u??????' };
  const matches = picomatch(spell(pattern, wildcards));
  return (name) => matches(spell(name));
}

// picomatch is made for paths: slashes, dots, brackets and more mean something to it, and none of it is wanted in a name.
// So every character is spelled by its number, all in the same length.
function spell(text: string, wildcards: Record<string, string> = {}): string {
  const spelled = (character: string) => `u${character.codePointAt(0)?.toString(16).padStart(6, '0')}`;
  return Array.from(text, (character) => wildcards[character] ?? spelled(character)).join('');
}
