// The parser of PROXY headers: a whole input, and one byte at a time.
import { encodeProxyHeader, parseProxyHeader } from '@rxsock/core/internal';
import type { Target } from '../target.js';

type Parsed = ReturnType<typeof parseProxyHeader>;

/** Anything but a refusal is a fault. */
function parse(bytes: Buffer): Parsed | 'refused' {
  try {
    return parseProxyHeader(bytes);
  } catch (error) {
    if (error instanceof Error && /^(its PROXY |it does not begin with a PROXY header)/.test(error.message))
      return 'refused';
    throw error;
  }
}

export const proxyHeader: Target = {
  fuzz(input) {
    const bytes = Buffer.from(input);
    const whole = parse(bytes);
    for (let length = 1; length < bytes.length; length++) {
      const part = parse(bytes.subarray(0, length));
      if (part === 'refused') {
        if (whole !== 'refused') throw new Error(`The first ${length} bytes are refused, and all of them are not`);
        break;
      }
      if ('header' in part) {
        if (whole === 'refused' || !('header' in whole) || part.length !== whole.length)
          throw new Error(`The first ${length} bytes have a header that all of them do not have`);
        break;
      }
      if (part.atLeast <= length) throw new Error(`${length} bytes ask for ${part.atLeast}`);
    }
    if (whole !== 'refused' && 'header' in whole) checkRoundTrip(whole);
  },
};

function checkRoundTrip({ header }: Extract<Parsed, { header: unknown }>): void {
  const { version, source, destination, tlvs } = header;
  if (!source || !destination) return;
  const again = parseProxyHeader(encodeProxyHeader({ version, source, destination, tlvs }));
  if (!('header' in again)) throw new Error('The header that is encoded is not whole');
  // An IPv4 address that is mapped to IPv6 is encoded as IPv4.
  const plain = (value: unknown) => JSON.stringify(value).replaceAll('::ffff:', '').replaceAll('"IPv6"', '"IPv4"');
  if (plain(again.header) !== plain(header)) throw new Error(`${plain(header)} becomes ${plain(again.header)}`);
}
