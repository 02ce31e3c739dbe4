// SCRAM-SHA-256: the client proves that it knows the password, and the server proves that it knew it before. RFC 7677.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** More would only keep this computer busy. PostgreSQL has 4,096 unless it is told otherwise. */
const MAX_ITERATIONS = 1_000_000;

/** One login. Without channel binding, for connections without TLS. The server knows the user already. */
export class ScramLogin {
  readonly #password: string;
  readonly #nonce = randomBytes(18).toString('base64');
  #serverSignature: Buffer | undefined;
  /** Whether the server has proved that it knows the password. */
  isVerified = false;

  constructor(password: string) {
    this.#password = password.normalize('NFKC');
  }

  /** The first message of the client. */
  get first(): string {
    return `n,,${this.#firstBare}`;
  }

  get #firstBare(): string {
    return `n=,r=${this.#nonce}`;
  }

  /** Answers the first message of the server. */
  async final(serverFirst: string): Promise<string> {
    const { r: nonce = '', s: salt = '', i: iterations = '' } = attributes(serverFirst);
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) throw new Error('The server answers another login');
    const count = Number(iterations);
    if (!(Number.isInteger(count) && count > 0 && count <= MAX_ITERATIONS)) {
      throw new Error(`The server asks for ${iterations} iterations`);
    }
    const salted = await promisify(pbkdf2)(this.#password, Buffer.from(salt, 'base64'), count, 32, 'sha256');
    const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`;
    const exchanged = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), exchanged);
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), exchanged);
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Checks the last message of the server. A server that does not know the password does not get past it. */
  verify(serverFinal: string): void {
    const signature = Buffer.from(attributes(serverFinal).v ?? '', 'base64');
    const expected = this.#serverSignature;
    if (!expected || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new Error('The server does not know the password');
    }
    this.isVerified = true;
  }
}

function attributes(message: string): Record<string, string> {
  return Object.fromEntries(message.split(',').map((attribute) => [attribute[0], attribute.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
