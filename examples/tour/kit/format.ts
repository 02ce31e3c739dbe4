// Formats numbers for people.
import prettyBytes from 'pretty-bytes';

/** `1.5 MiB` */
export function bytes(count: number): string {
  return prettyBytes(count, { binary: true });
}

/** `1.5 MiB/s` */
export function rate(count: number, seconds: number): string {
  return seconds > 0 ? `${bytes(count / seconds)}/s` : '–';
}

/** `1,234` */
export function number(count: number): string {
  return count.toLocaleString('en');
}
