// Decides who may see the page: a request needs the token, and must not come from a page of another origin.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** What a request that is allowed asks for: the name of a file, or of a stream, and its query. */
export interface Wish {
  readonly name: string;
  readonly query: URLSearchParams;
}

export class Gate {
  readonly #host: string;
  readonly #token: Buffer;

  /** @param host The host that the server was told to listen on. */
  constructor(host: string, token: string) {
    this.#host = host.toLowerCase();
    this.#token = digest(token);
  }

  /** Checks a request: first where it comes from, then its token. */
  check({ method = '', url = '', headers }: IncomingMessage): Wish | Refusal {
    const { host = '', origin } = headers;
    if (!this.#isOurs(host)) return refuse(403, 'The Host header must be an address, localhost, or the given host');
    if (origin !== undefined && origin !== `http://${host}`) return refuse(403, 'No page of another origin may ask');
    const [, token = '', name = '', query = ''] = /^\/([^/?]*)\/([^?]*)(?:\?(.*))?$/.exec(url) ?? [];
    // Digests have one length, so the time of the comparison shows nothing, not even the length of the token.
    if (!timingSafeEqual(digest(token), this.#token)) return refuse(403, 'The address of the page has its token');
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'The page can only be read');
    return { name, query: new URLSearchParams(query) };
  }

  /**
   * A page whose name was made to lead to this address (DNS rebinding) sends that name. So names are refused, apart from
   * `localhost` and the one that the server listens on. The port may differ, as through a tunnel.
   */
  #isOurs(header: string): boolean {
    const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(header.toLowerCase()) ?? [];
    const host = bracketed ?? plain ?? '';
    return isIP(host) !== 0 || host === 'localhost' || host === this.#host;
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function refuse(status: number, text: string): Refusal {
  return { status, text };
}
