// The page: shows the snapshots that the process sends, and tells it by the address of the stream which rows it wants.
import type { ClosedRow, PoolRow, ProcessInfo, ReconnectRow, ServerRow, Snapshot, SocketRow } from '../src/messages.js';
import { Details } from './details.js';
import { byId, setFacts, setText } from './dom.js';
import { age, bytes, clock, count, duration, rate } from './format.js';
import { Plot } from './plot.js';
import { type Column, Table } from './table.js';

/** How many rows the process sends. */
const PAGE_SIZE = 100;
/** How long the page waits for the next letter of a filter, in milliseconds. */
const TYPING_PAUSE = 150;

const view = { filter: '', show: '', order: 'id', isDescending: false, offset: 0 };
let now = Date.now();
let stream: EventSource | undefined;

const nameOf = ({ id, name }: { readonly id: number; readonly name: string }) => (name ? `${name} #${id}` : `#${id}`);
const linkTo = ({ id }: { readonly id: number }) => `#socket-${id}`;

const socketColumns: readonly Column<SocketRow>[] = [
  { label: 'Socket', text: nameOf, order: 'name', className: 'text', link: linkTo },
  { label: 'Type', text: ({ type, role }) => `${type} ${role}`, order: 'type', className: 'wide' },
  { label: 'State', text: ({ state }) => state, order: 'state' },
  { label: 'Remote', text: ({ remote }) => remote, order: 'remote', className: 'text wide' },
  {
    label: 'Held by',
    text: ({ holder, heldSince }) => (holder ? `${holder}, ${duration(now - heldSince)}` : ''),
    order: 'heldSince',
    className: 'text',
  },
  { label: 'In', text: (row) => rate(row.readRate), order: 'readRate', isDescending: true, className: 'number' },
  { label: 'Out', text: (row) => rate(row.writeRate), order: 'writeRate', isDescending: true, className: 'number' },
  {
    label: 'To write',
    text: ({ writableLength }) => bytes(writableLength),
    order: 'writableLength',
    isDescending: true,
    className: 'number wide',
  },
  {
    label: 'To read',
    text: ({ readableLength }) => bytes(readableLength),
    order: 'readableLength',
    isDescending: true,
    className: 'number wide',
  },
  { label: 'Age', text: ({ openedAt }) => age(openedAt, now), order: 'openedAt', className: 'number wide' },
];

const sockets = new Table(byId<HTMLTableElement>('sockets'), socketColumns, {
  whenEmpty: 'No socket',
  classOf: ({ id, holder }) => `${holder ? 'held' : ''} ${id === selected() ? 'selected' : ''}`.trim(),
  onOrder: ({ order = 'id', isDescending = false }) => {
    const isAgain = order === view.order;
    ask({ order, isDescending: isAgain ? !view.isDescending : isDescending, offset: 0 });
  },
});

const servers = new Table<ServerRow>(
  byId<HTMLTableElement>('servers'),
  [
    { label: 'Server', text: nameOf, className: 'text' },
    { label: 'Type', text: ({ type }) => type, className: 'wide' },
    { label: 'State', text: ({ state }) => state },
    { label: 'Address', text: ({ address }) => address, className: 'text' },
    { label: 'Open', text: (row) => count(row.sockets), className: 'number' },
    { label: 'Accepted', text: ({ accepted }) => count(accepted), className: 'number wide' },
    { label: 'Dropped', text: ({ dropped }) => count(dropped), className: 'number wide' },
    { label: 'Last drop', text: ({ lastDrop }) => lastDrop, className: 'text wide' },
  ],
  { whenEmpty: 'No server' },
);

/** What has happened, with its time before it. */
const dated = (time: number, text: string) => (time === 0 ? '' : `${clock(time)} ${text}`);

function stateOf({ state, retries, retryAt }: ReconnectRow): string {
  const attempt = retries === 0 || state === 'open' ? '' : `, attempt ${count(retries)}`;
  return `${state}${attempt}${retryAt === 0 ? '' : ` in ${duration(retryAt - now)}`}`;
}

const reconnects = new Table<ReconnectRow>(
  byId<HTMLTableElement>('reconnects'),
  [
    { label: 'Socket', text: nameOf, className: 'text' },
    { label: 'Target', text: ({ target }) => target, className: 'text wide' },
    { label: 'State', text: stateOf },
    {
      label: 'Connection',
      text: ({ socket }) => (socket === 0 ? '' : `#${socket}`),
      link: ({ socket }) => (socket === 0 ? '' : linkTo({ id: socket })),
    },
    { label: 'Last end', text: ({ lastEnd, lastEndAt }) => dated(lastEndAt, lastEnd), className: 'text' },
  ],
  { whenEmpty: 'No reconnecting socket' },
);

const pools = new Table<PoolRow>(
  byId<HTMLTableElement>('pools'),
  [
    { label: 'Pool', text: nameOf, className: 'text' },
    { label: 'Target', text: ({ target }) => target, className: 'text wide' },
    { label: 'State', text: ({ state }) => state, className: 'wide' },
    {
      label: 'Connections',
      text: ({ size, max }) => (max === 0 ? count(size) : `${count(size)} of ${count(max)}`),
      className: 'number',
    },
    { label: 'In use', text: ({ inUse }) => count(inUse), className: 'number' },
    { label: 'Idle', text: ({ idle }) => count(idle), className: 'number wide' },
    { label: 'Waiting', text: ({ waiting }) => count(waiting), className: 'number' },
    {
      label: 'Last error',
      text: ({ lastError, lastErrorAt }) => dated(lastErrorAt, lastError),
      className: 'text wide',
    },
  ],
  { whenEmpty: 'No pool' },
);

const closed = new Table<ClosedRow>(
  byId<HTMLTableElement>('closed'),
  [
    { label: 'Socket', text: nameOf, className: 'text', link: linkTo },
    { label: 'Type', text: ({ type }) => type, className: 'wide' },
    { label: 'Remote', text: ({ remote }) => remote, className: 'text wide' },
    { label: 'How', text: ({ how, by }) => `${how} by ${by}` },
    { label: 'At', text: ({ closedAt }) => clock(closedAt), className: 'wide' },
    { label: 'Open for', text: (row) => duration(row.duration), className: 'number' },
    { label: 'Read', text: ({ bytesRead }) => bytes(bytesRead), className: 'number wide' },
    { label: 'Written', text: ({ bytesWritten }) => bytes(bytesWritten), className: 'number wide' },
    { label: 'Unsent', text: ({ bytesUnsent }) => bytes(bytesUnsent), className: 'number wide' },
    { label: 'Error', text: ({ error }) => error, className: 'text' },
  ],
  { whenEmpty: 'No socket has closed since the inspector was started' },
);

const totalRates = new Plot(
  byId('plot-total-rates'),
  'Bytes a second',
  [
    { label: 'in', colour: '--in' },
    { label: 'out', colour: '--out', isDashed: true },
  ],
  rate,
);
const totalQueues = new Plot(
  byId('plot-total-queues'),
  'Bytes that wait',
  [
    { label: 'for a reader', colour: '--in' },
    { label: 'to be written', colour: '--out', isDashed: true },
  ],
  bytes,
);
const details = new Details();

/** The number of the selected socket, which is in the address of the page. */
function selected(): number | undefined {
  const id = /^#socket-(\d+)$/.exec(location.hash)?.[1];
  return id === undefined ? undefined : Number(id);
}

function show(snapshot: Snapshot): void {
  now = snapshot.time;
  const { totals, held, queued, matched, rows, cost, pace } = snapshot;
  setText(byId('status'), `Looks every ${duration(pace)}, which takes ${cost.toFixed(1)} ms`);
  setFacts(byId('totals'), {
    Sockets: count(totals.sockets),
    Held: count(held),
    In: rate(totals.readRate),
    Out: rate(totals.writeRate),
    'Waits for a reader': bytes(totals.readableLength),
    'Waits to be written': bytes(totals.writableLength),
    Closed: count(totals.closed),
    Failed: count(totals.failed),
    Dropped: count(totals.dropped),
  });
  totalRates.add(now, totals.readRate, totals.writeRate);
  totalQueues.add(now, totals.readableLength, totals.writableLength);
  servers.update(snapshot.servers);
  sockets.update(rows);
  reconnects.update(snapshot.reconnects.rows);
  pools.update(snapshot.pools.rows);
  for (const what of ['reconnects', 'pools'] as const) {
    const { rows, total } = snapshot[what];
    setText(byId(`${what}-range`), rows.length < total ? `${count(rows.length)} of ${count(total)}` : '');
  }
  closed.update(snapshot.closed);
  const counts: Record<string, number> = { '': totals.sockets, held, queued };
  for (const button of showButtons) setText(button, `${button.value} ${count(counts[button.dataset.show ?? ''] ?? 0)}`);
  const first = Math.min(view.offset, Math.max(0, matched - 1));
  setText(
    byId('range'),
    rows.length === 0 ? '' : `${count(first + 1)}–${count(first + rows.length)} of ${count(matched)}`,
  );
  byId<HTMLButtonElement>('previous').disabled = first === 0;
  byId<HTMLButtonElement>('next').disabled = first + rows.length >= matched;
  details.update(snapshot.selected, now);
}

/** Changes the view, and asks for it. */
function ask(change: Partial<typeof view>): void {
  Object.assign(view, change);
  sockets.setOrder(view.order, view.isDescending);
  for (const button of showButtons) button.setAttribute('aria-pressed', String(button.dataset.show === view.show));
  if (pause.getAttribute('aria-pressed') === 'false') open();
}

function open(): void {
  stream?.close();
  const { filter, show: which, order, isDescending, offset } = view;
  const id = selected();
  const query = new URLSearchParams({ filter, show: which, order, offset: String(offset) });
  if (isDescending) query.set('descending', '');
  if (id !== undefined) query.set('selected', String(id));
  stream = new EventSource(`events?${query}`);
  stream.addEventListener('process', ({ data }) => {
    const { title, pid, node, startedAt } = JSON.parse(data as string) as ProcessInfo;
    setText(byId('process'), `${title}, process ${pid}, Node ${node}, since ${clock(startedAt)}`);
    document.title = `${title}: rxsock inspector`;
  });
  stream.addEventListener('message', ({ data }) => show(JSON.parse(data as string) as Snapshot));
  stream.addEventListener('error', () => setText(byId('status'), 'The process does not answer'));
}

const pause = byId('pause');
pause.addEventListener('click', () => {
  const isPaused = pause.getAttribute('aria-pressed') === 'false';
  pause.setAttribute('aria-pressed', String(isPaused));
  if (!isPaused) return open();
  stream?.close();
  setText(byId('status'), 'Paused');
});

const showButtons = [...byId('show').querySelectorAll('button')];
for (const button of showButtons) {
  button.value = button.textContent ?? '';
  button.addEventListener('click', () => ask({ show: button.dataset.show ?? '', offset: 0 }));
}

const filter = byId<HTMLInputElement>('filter');
let typing: number | undefined;
filter.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => ask({ filter: filter.value, offset: 0 }), TYPING_PAUSE);
});

byId('previous').addEventListener('click', () => ask({ offset: Math.max(0, view.offset - PAGE_SIZE) }));
byId('next').addEventListener('click', () => ask({ offset: view.offset + PAGE_SIZE }));

function select(): void {
  details.select(selected());
  ask({});
}

/** Shows no socket in full, and goes back to its row. */
function leave(): void {
  const link = document.querySelector<HTMLElement>(`#sockets a[href="${location.hash}"]`);
  location.hash = '';
  link?.focus();
}

addEventListener('hashchange', select);
byId('details-close').addEventListener('click', leave);
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === 'Escape' && selected() !== undefined) {
    leave();
  }
});

select();
