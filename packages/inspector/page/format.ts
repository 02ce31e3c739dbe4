// Numbers and times as people read them.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A number of bytes: `0 B`, `1.2 kB`. A kilobyte has 1,000 bytes. */
export function bytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), UNITS.length - 1);
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

export const rate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`;

export const count = (number: number): string => number.toLocaleString('en');

/** A duration in milliseconds: `250 ms`, `3.2 s`, `4 min 5 s`, `2 h 3 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time of the day, to the second. */
export const clock = (time: number): string => new Date(time).toLocaleTimeString('en-GB');

/** A time of the day, to the millisecond. */
export const exactClock = (time: number): string => `${clock(time)}.${String(time % 1000).padStart(3, '0')}`;

/** How long ago it was; empty for a time that is not known. */
export const age = (time: number, now: number): string => (time === 0 ? '' : duration(now - time));
