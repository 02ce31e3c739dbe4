// The connections in a capture: what each side has sent, in order and without what was sent twice.
import { formatEndpoint, type InternetEndpoint } from '../base/endpoint.js';
import { ACK, FIN, PSH, RST, type Sender, SYN } from './flags.js';
import type { TcpSegment } from './parse-packet.js';

/** Something that a side has sent. */
export interface Step {
  readonly from: Sender;
  /** In milliseconds since the epoch. */
  readonly time: number;
  /** The segments of a chunk, a FIN or a reset. */
  readonly sent: readonly Buffer[] | 'fin' | 'reset';
  /** How many bytes this side has sent, this step included. What the capture lacks is counted too. */
  readonly total: number;
  /** How many bytes the capture lacks in front of this step. */
  readonly lacking: number;
}

/** A connection of a capture. */
export interface Conversation {
  readonly client: InternetEndpoint;
  readonly server: InternetEndpoint;
  /** The time of its first packet, in milliseconds since the epoch. */
  readonly begunAt: number;
  /** In the order in which they were captured. */
  readonly steps: readonly Step[];
}

/** Sorts the segments of a capture into connections. */
export class Conversations {
  /** By the addresses of both ends, the last connection between them. */
  readonly #last = new Map<string, OpenConversation>();
  readonly #all: OpenConversation[] = [];
  #count = 0;

  /** @param time In milliseconds since the epoch. */
  add(segment: TcpSegment, time: number): void {
    const { source, destination, flags } = segment;
    const from = formatEndpoint(source);
    const key = [from, formatEndpoint(destination)].sort().join(' ');
    let conversation = this.#last.get(key);
    const isSyn = (flags & (SYN | ACK)) === SYN;
    // Another SYN: the ports are used again. The same one was sent twice.
    if (!conversation || (isSyn && conversation.syn !== segment.sequence)) {
      // Without a SYN, the side that is seen first is the client.
      const isReply = (flags & (SYN | ACK)) === (SYN | ACK);
      const [client, server] = isReply ? [destination, source] : [source, destination];
      conversation = new OpenConversation(client, server, time, isSyn ? segment.sequence : undefined);
      this.#last.set(key, conversation);
      this.#all.push(conversation);
    }
    const sender = from === formatEndpoint(conversation.client) ? 'client' : 'server';
    conversation.add(sender, segment, time, this.#count++);
  }

  /** Returns the connections, those first that began first. */
  list(): Conversation[] {
    return this.#all.map((each) => each.close());
  }
}

/** A segment, and its place in the capture. */
interface Captured {
  readonly payload: Buffer;
  readonly flags: number;
  readonly time: number;
  readonly index: number;
  /** The number of the first byte: it does not begin again after 2^32. */
  readonly start: number;
}

/** A step and its place in the capture. */
type IndexedStep = Step & { readonly index: number };

class OpenConversation {
  readonly client: InternetEndpoint;
  readonly server: InternetEndpoint;
  readonly #streams: Readonly<Record<Sender, Stream>> = { client: new Stream('client'), server: new Stream('server') };
  readonly begunAt: number;
  /** The number of the SYN. `undefined` if the capture has begun later. */
  readonly syn: number | undefined;

  constructor(client: InternetEndpoint, server: InternetEndpoint, begunAt: number, syn: number | undefined) {
    this.client = client;
    this.server = server;
    this.begunAt = begunAt;
    this.syn = syn;
  }

  add(from: Sender, segment: TcpSegment, time: number, index: number): void {
    this.#streams[from].add(segment, time, index);
  }

  close(): Conversation {
    const { client, server, begunAt } = this;
    const steps = [...this.#streams.client.steps(), ...this.#streams.server.steps()];
    return { client, server, begunAt, steps: steps.sort((a, b) => a.index - b.index) };
  }
}

/** What one side has sent. */
class Stream {
  readonly #from: Sender;
  readonly #segments: Captured[] = [];
  /** Where the last segment began. */
  #last = 0;

  constructor(from: Sender) {
    this.#from = from;
  }

  add({ payload, flags, sequence }: TcpSegment, time: number, index: number): void {
    // How far it is from the last one, in whichever direction is shorter.
    const start = this.#segments.length === 0 ? sequence : this.#last + ((sequence - this.#last) | 0);
    this.#last = start;
    this.#segments.push({ payload, flags, time, index, start });
  }

  steps(): IndexedStep[] {
    const from = this.#from;
    const steps: IndexedStep[] = [];
    const segments = this.#segments.sort((a, b) => a.start - b.start || a.index - b.index);
    const [first] = segments;
    if (!first) return steps;
    const beginning = first.start + (first.flags & SYN ? 1 : 0);
    let next = beginning;
    let index = 0;
    /** The segments of the chunk that goes on: there was no PSH. */
    let chunk: Buffer[] = [];
    for (const { payload, flags, time, start, index: own } of segments) {
      if (flags & RST) steps.push({ from, time, index: own, sent: 'reset', total: next - beginning, lacking: 0 });
      const begins = start + (flags & SYN ? 1 : 0);
      const lacking = Math.max(0, begins - next);
      const bytes = payload.subarray(Math.max(0, next - begins));
      if (bytes.length === 0 && !(flags & FIN)) continue;
      // A segment that came before one that is in front of it was delivered with that one.
      index = Math.max(index, own);
      next = Math.max(next, begins + payload.length);
      const total = next - beginning;
      if (bytes.length > 0) {
        const last = steps.at(-1);
        const goesOn = last?.sent === chunk && last.time === time && lacking === 0;
        if (goesOn) steps.pop();
        else chunk = [];
        chunk.push(bytes);
        steps.push({ from, time, index, sent: chunk, total, lacking: goesOn ? last.lacking : lacking });
      }
      if (flags & PSH) chunk = [];
      if (!(flags & FIN)) continue;
      steps.push({ from, time, index, sent: 'fin', total, lacking: bytes.length > 0 ? 0 : lacking });
      break;
    }
    return steps;
  }
}
