// One socket in full.
import type { EndReport, SocketDetails, TimelineEntry } from '../src/messages.js';
import { byId, make, setFacts, setLines, setText } from './dom.js';
import { age, bytes, count, duration, exactClock, rate } from './format.js';
import { Plot } from './plot.js';

export class Details {
  readonly #section = byId('details');
  readonly #title = byId('details-title');
  readonly #rates: Plot;
  readonly #queues: Plot;
  #selected: number | undefined;

  constructor() {
    const lines = [
      { label: 'in', colour: '--in' },
      { label: 'out', colour: '--out', isDashed: true },
    ];
    this.#section.hidden = false;
    this.#rates = new Plot(byId('plot-rates'), 'Bytes a second', lines, rate);
    this.#queues = new Plot(byId('plot-queues'), 'Bytes that wait', lines, bytes);
    this.#section.hidden = true;
  }

  /** Shows another socket, or none. */
  select(id: number | undefined): void {
    if (id === this.#selected) return;
    this.#selected = id;
    this.#section.hidden = id === undefined;
    this.#rates.clear();
    this.#queues.clear();
    byId('details-body').hidden = true;
    byId('details-missing').hidden = true;
    if (id === undefined) return;
    setText(this.#title, `Socket #${id}`);
    this.#title.focus();
  }

  /** @param socket `undefined` if the process does not know it. */
  update(socket: SocketDetails | undefined, now: number): void {
    if (this.#selected === undefined || (socket && socket.id !== this.#selected)) return;
    byId('details-body').hidden = !socket;
    byId('details-missing').hidden = socket !== undefined;
    if (!socket) return;
    setText(this.#title, `Socket #${socket.id}${socket.name && ` ${socket.name}`}`);
    setFacts(byId('facts'), factsOf(socket, now));
    showEnd(socket.end);
    showHolders(socket, now);
    showStates(socket.timeline, now);
    setLines(byId('timeline'), [...socket.timeline].reverse(), showEntry);
    if (socket.end) return;
    this.#rates.add(now, socket.readRate, socket.writeRate);
    this.#queues.add(now, socket.readableLength, socket.writableLength);
  }
}

function factsOf(socket: SocketDetails, now: number): Record<string, string> {
  const { type, role, state, local, remote, bytesRead, bytesWritten, openedAt, lastReadAt, lastWriteAt } = socket;
  return {
    State: state,
    Transport: `${type}${role && `, ${role}`}`,
    'Local end': local,
    'Remote end': remote,
    Read: bytes(bytesRead),
    Written: bytes(bytesWritten),
    'Waits for a reader': bytes(socket.readableLength),
    'Waits for the kernel': bytes(socket.writableLength),
    Age: age(openedAt, socket.end?.closedAt ?? now),
    'Since the last read': age(lastReadAt, now),
    'Since the last write': age(lastWriteAt, now),
    ...Object.fromEntries(Object.entries(socket.counters ?? {}).map(([name, value]) => [name, count(value)])),
  };
}

function showEnd(end: EndReport | undefined): void {
  byId('end').hidden = !end;
  if (!end) return;
  setFacts(byId('end-facts'), {
    How: end.how,
    By: end.by,
    Read: bytes(end.bytesRead),
    Written: bytes(end.bytesWritten),
    'Never sent': bytes(end.bytesUnsent),
    'Was open for': duration(end.duration),
    At: exactClock(end.closedAt),
    Error: end.error,
  });
}

function showHolders({ holders }: SocketDetails, now: number): void {
  setLines(byId('holders'), holders.length > 0 ? holders : [undefined], (item, holder) => {
    const stack = holder?.stack ?? '';
    item.className = holder ? '' : 'nobody';
    if (item.children.length !== 2) item.replaceChildren(make('span'), make('pre'));
    const [text, code] = item.children;
    setText(text!, holder ? `${holder.reason}, for ${duration(now - holder.since)}` : 'Nobody');
    setText(code!, stack);
    (code as HTMLElement).hidden = stack === '';
  });
}

/** A bar with a part for each state, as long as it lasted. */
function showStates(timeline: readonly TimelineEntry[], now: number): void {
  const states = timeline.filter(({ state }) => state !== undefined);
  const bar = byId('states');
  while (bar.children.length > states.length) bar.lastElementChild!.remove();
  while (bar.children.length < states.length) bar.append(make('span'));
  for (const [index, { state = '', time }] of states.entries()) {
    const part = bar.children[index] as HTMLElement;
    part.dataset.state = state;
    part.style.flexGrow = String(Math.max(1, (states[index + 1]?.time ?? now) - time));
    setText(part, state);
  }
}

function showEntry(item: HTMLElement, { time, text, isLate }: TimelineEntry): void {
  if (item.children.length !== 2) item.replaceChildren(make('time'), make('span'));
  const [when, what] = item.children;
  setText(when!, `${isLate ? 'before ' : ''}${exactClock(time)}`);
  setText(what!, text);
}
