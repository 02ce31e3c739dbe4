// Publishes what happens to connections. The engine calls these functions at its changes of state; nothing else
// publishes on the channels of sockets. While nobody observes, a call costs a look at the channel.
import type { SchedulerLike } from 'rxjs';
import { elapsedTime } from '../base/clock.js';
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import { clearTimeout, setTimeout } from '../base/real-timers.js';
import { notifyTaps, taps } from './byte-tap.js';
import { socketChannels } from './channels.js';
import { liveSockets } from './live.js';
import type {
  ConnectionRole,
  SocketCloseMessage,
  SocketDialMessage,
  SocketErrorMessage,
  SocketHoldMessage,
  SocketOpenMessage,
  SocketReleaseMessage,
} from './messages.js';

/** What the channels need to know of a connection. */
export interface ObservedConnection {
  /** The socket of the connection. `undefined` while it is being created. */
  readonly socket: object | undefined;
  readonly role: ConnectionRole;
  readonly type: string;
  readonly limits: { readonly scheduler: SchedulerLike };
  readonly opening: Pick<SocketOpenMessage<object>, 'local' | 'remote'>;
  readonly flow: {
    readonly held: boolean;
    /** Whether all holds end by themselves in the next turn. */
    readonly endsNextTurn: boolean;
  };
}

const { dial, open, hold, release, error, close } = socketChannels;

/** When something began, on the clock of the connection. Kept only while somebody observes. */
interface Beginnings {
  dial?: number;
  handshake?: number;
  hold?: number;
}
const beginnings = new WeakMap<object, Beginnings>();

function begin(subject: object, what: keyof Beginnings, scheduler: SchedulerLike): void {
  const known = beginnings.get(subject) ?? {};
  known[what] = elapsedTime(scheduler);
  beginnings.set(subject, known);
}

/** Returns how long ago it began, in milliseconds. */
function sinceBegin({ limits }: ObservedConnection, began: number | undefined): number | undefined {
  return began === undefined ? undefined : elapsedTime(limits.scheduler) - began;
}

// A stream that exists in memory only is forgotten when its user forgets it. A list must not keep it, unless it is used.
function list(connection: ObservedConnection, socket: object): void {
  if (connection.type !== 'duplex' || open.hasSubscribers || close.hasSubscribers || taps.length > 0)
    liveSockets.add(socket);
}

/** The connection dials, or secures a stream that is open. */
export function publishDial(connection: ObservedConnection, target: string): void {
  const { socket, role, limits } = connection;
  if (!socket) return;
  list(connection, socket);
  if (dial.hasSubscribers || open.hasSubscribers) begin(connection, 'dial', limits.scheduler);
  if (dial.hasSubscribers) dial.publish({ socket, role, target } satisfies SocketDialMessage<object>);
}

/**
 * A TLS handshake begins.
 * @param subject The connection; on a server, whose connection begins after the handshake, the stream.
 */
export function handshakeBegins(subject: object, scheduler: SchedulerLike): void {
  if (open.hasSubscribers) begin(subject, 'handshake', scheduler);
}

/** The handshake of a stream is done, and this is its connection. */
export function handshakeEnds(stream: object, connection: object): void {
  const known = open.hasSubscribers && beginnings.get(stream);
  if (known) beginnings.set(connection, known);
}

/** The connection is open. */
export function publishOpen(connection: ObservedConnection): void {
  const { socket, role, opening } = connection;
  if (!socket) return;
  list(connection, socket);
  if (!open.hasSubscribers) return;
  const { local, remote } = opening;
  const began = beginnings.get(connection);
  const dialDuration = sinceBegin(connection, began?.dial);
  const handshakeDuration = sinceBegin(connection, began?.handshake);
  const message: SocketOpenMessage<object> = { socket, role, local, remote, dialDuration, handshakeDuration };
  open.publish(message);
}

/** When the holds of a connection that only waits for the next turn are looked at again, in milliseconds. */
const LOOK_AGAIN = 1;
/** Those connections, each with its next look. */
const pausing = new WeakMap<ObservedConnection, NodeJS.Timeout>();

/** The first hold begins, or the last one ends. */
export function publishHold(connection: ObservedConnection, held: boolean): void {
  if (!hold.hasSubscribers && !release.hasSubscribers) return;
  if (held) return publishConsumer(connection);
  const look = pausing.get(connection);
  if (look) {
    clearTimeout(look);
    pausing.delete(connection);
    return;
  }
  const { socket, role } = connection;
  if (!socket) return;
  const duration = sinceBegin(connection, beginnings.get(connection)?.hold);
  release.publish({ socket, role, duration } satisfies SocketReleaseMessage<object>);
}

// A hold until the next turn is a pause of this process: no consumer is behind. But a consumer may join it.
function publishConsumer(connection: ObservedConnection): void {
  const { socket, role, limits, flow } = connection;
  pausing.delete(connection);
  if (flow.endsNextTurn) {
    pausing.set(connection, setTimeout(() => publishConsumer(connection), LOOK_AGAIN).unref());
    return;
  }
  if (!socket || !flow.held) return;
  begin(connection, 'hold', limits.scheduler);
  hold.publish({ socket, role } satisfies SocketHoldMessage<object>);
}

/** The connection has failed. */
export function publishError(connection: ObservedConnection, reason: SocketError): void {
  const { socket, role } = connection;
  if (!error.hasSubscribers || !socket || !liveSockets.has(socket)) return;
  error.publish({ socket, role, error: reason } satisfies SocketErrorMessage<object>);
}

/** The connection is closed. */
export function publishClose(
  connection: ObservedConnection,
  report: CloseReport,
  failure: SocketError | undefined,
): void {
  const { socket, role } = connection;
  if (!socket || !liveSockets.delete(socket) || !close.hasSubscribers) return;
  close.publish({ socket, role, report, error: failure } satisfies SocketCloseMessage<object>);
}

/** Bytes came from the peer. Call it only if there is a tap. */
export function tapReceived({ socket }: ObservedConnection, bytes: Uint8Array): void {
  if (socket) notifyTaps((tap) => tap.received(socket, bytes));
}

/** The peer's FIN came. */
export function tapReceivedEnd({ socket }: ObservedConnection): void {
  if (taps.length > 0 && socket) notifyTaps((tap) => tap.receivedEnd(socket));
}

/** Bytes were handed to the stream. Call it only if there is a tap. */
export function tapSent({ socket }: ObservedConnection, chunks: readonly Uint8Array[]): void {
  if (socket) for (const bytes of chunks) notifyTaps((tap) => tap.sent(socket, bytes));
}

/** Our FIN was sent. */
export function tapSentEnd({ socket }: ObservedConnection): void {
  if (taps.length > 0 && socket) notifyTaps((tap) => tap.sentEnd(socket));
}
