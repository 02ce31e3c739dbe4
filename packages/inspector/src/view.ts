// Which part of all sockets a page shows: its filter and its order. Only these rows are sent to it.
import type { SocketRow } from './messages.js';
import { nameOf, type SocketRecord } from './socket-record.js';

/** How many rows a page shows at once. */
export const PAGE_SIZE = 100;

/** Orders, by the name of the column. */
const orders = {
  id: ({ socket }: SocketRecord) => socket.id,
  name: ({ socket }: SocketRecord) => nameOf(socket),
  type: ({ socket }: SocketRecord) => socket.type,
  state: ({ socket }: SocketRecord) => socket.readyState,
  remote: ({ remote }: SocketRecord) => remote,
  readRate: ({ readRate }: SocketRecord) => readRate,
  writeRate: ({ writeRate }: SocketRecord) => writeRate,
  writableLength: ({ socket }: SocketRecord) => socket.writableLength,
  readableLength: ({ socket }: SocketRecord) => socket.readableLength ?? 0,
  // The socket that has been held the longest has the earliest time. Sockets that are not held come last.
  heldSince: ({ heldSince }: SocketRecord) => heldSince || Number.POSITIVE_INFINITY,
  openedAt: ({ socket }: SocketRecord) => socket.openedAt ?? Number.POSITIVE_INFINITY,
} satisfies Partial<Record<keyof SocketRow, (record: SocketRecord) => string | number>>;

/** What a page wants to see. */
export interface View {
  /** A part of a name, a number, an end, a holder. */
  readonly filter: string;
  readonly show: string | null;
  readonly order: keyof typeof orders;
  readonly isDescending: boolean;
  /** The first row. */
  readonly offset: number;
  /** The number of the socket that is shown in full. */
  readonly selected: number | undefined;
}

/** Reads a view from the query of a request. What it does not understand has its default. */
export function viewOf(query: URLSearchParams): View {
  const order = query.get('order') ?? '';
  const selected = Number(query.get('selected') ?? Number.NaN);
  return {
    filter: (query.get('filter') ?? '').slice(0, 200).toLowerCase(),
    show: query.get('show'),
    order: Object.hasOwn(orders, order) ? (order as keyof typeof orders) : 'id',
    isDescending: query.has('descending'),
    offset: Math.max(0, Math.trunc(Number(query.get('offset') ?? 0)) || 0),
    selected: Number.isSafeInteger(selected) ? selected : undefined,
  };
}

/** Returns the rows of a view, and how many there are without its offset. */
export function rowsOf(view: View, records: readonly SocketRecord[]): { rows: SocketRow[]; matched: number } {
  const keyOf = orders[view.order];
  const sign = view.isDescending ? -1 : 1;
  const matching = records
    .filter((record) => isShown(view, record) && isFound(view, record))
    .map((record) => ({ record, key: keyOf(record) }))
    .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : a.record.socket.id - b.record.socket.id));
  const offset = Math.min(view.offset, Math.max(0, matching.length - 1));
  const rows = matching.slice(offset, offset + PAGE_SIZE).map(({ record }) => record.row);
  return { rows, matched: matching.length };
}

function isShown({ show }: View, { holders, socket }: SocketRecord): boolean {
  if (show === 'held') return holders.length > 0;
  return show !== 'queued' || socket.writableLength > 0;
}

function isFound({ filter }: View, record: SocketRecord): boolean {
  if (filter === '') return true;
  const { socket, local, remote, holders } = record;
  const texts = [nameOf(socket), `#${socket.id}`, socket.type, socket.readyState, local, remote];
  return [...texts, ...holders.map(({ reason }) => reason)].some((text) => text.toLowerCase().includes(filter));
}
