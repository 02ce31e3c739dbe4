// ModelledConnection: a real connection, what the model says about it, and the comparison of the two after every
// command.
import type { Release } from '../../flow/flow.js';
import type { Socket } from '../../socket.js';
import type { ConnectionModel } from './connection-model.js';
import type { ConnectionUnderTest } from './connection-under-test.js';
import { type Expectation, expectations } from './expectations.js';
import type { FarEnd } from './far-end.js';
import type { Observed } from './observed.js';
import { Reader, type ReaderKind } from './readers.js';
import { LAWS, Verdict } from './socket-laws.js';
import { Watcher } from './watcher.js';

/** How long real sockets may take for what must happen by itself: in milliseconds, and in turns of the event loop. */
const PATIENCE = { milliseconds: 2000, turns: 200 };
/** The same with virtual time, in turns. */
const VIRTUAL_TURNS = 60;
/** How many turns an aborted dial may take to appear at the other end. */
const ABORTED_TURNS = 20;

export class ModelledConnection implements Observed {
  readonly near: Socket;
  readonly verdict = new Verdict();
  readonly given: ConnectionUnderTest;
  far: FarEnd | undefined;
  reader: Reader | undefined;
  watcher: Watcher | undefined;
  pendingWrites = 0;
  pendingCloses = 0;
  drainsBefore: number | undefined;
  readonly #holds: Release[] = [];

  constructor(given: ConnectionUnderTest) {
    this.given = given;
    this.near = given.near;
  }

  get drains(): number | undefined {
    if (this.watcher) return this.watcher.drained;
    return this.reader?.kind === 'events' ? this.reader.drained : undefined;
  }

  read(model: ConnectionModel, kind: ReaderKind): void {
    // What nobody had read when the socket closed is delivered to the next reader, whoever holds.
    const mayTake = () => model.holds === 0 || this.near.readyState === 'closed';
    const allowed = () => ({ data: mayTake(), sent: model.sent, end: model.farEnded });
    model.reader = kind;
    this.drainsBefore = undefined;
    this.reader = new Reader(this.near, kind, model.position, this.verdict, allowed);
  }

  /** The reader leaves. What it has taken is taken. */
  leave(model: ConnectionModel): void {
    this.drainsBefore = undefined;
    this.reader?.leave();
    if (this.reader && !model.over) model.position = this.reader.position;
    this.reader = undefined;
    model.reader = undefined;
    model.left = true;
  }

  watch(): void {
    this.drainsBefore = undefined;
    this.watcher = new Watcher(this.near);
  }

  unwatch(): void {
    this.watcher?.leave();
    this.watcher = undefined;
    this.drainsBefore = undefined;
  }

  hold(): void {
    this.#holds.push(this.near.hold(`the model, ${this.#holds.length + 1}`));
  }

  release(): void {
    this.#holds.pop()?.();
  }

  write(bytes: Uint8Array): void {
    this.pendingWrites++;
    const settled = () => {
      this.pendingWrites--;
    };
    this.near.write(bytes).then(settled, settled);
  }

  close(): void {
    this.pendingCloses++;
    this.near.close().then(() => {
      this.pendingCloses--;
    });
  }

  /** Waits until what follows from the last command has happened, and compares. */
  async settle(model: ConnectionModel): Promise<void> {
    if (model.used && !this.far) await this.#accept(model.over === 'aborted');
    await this.turn();
    await this.turn();
    this.#followReader(model);
    model.settle();
    await this.#expectAll(model);
    this.#followReader(model);
    model.settle();
    this.followClose(model);
    await this.#expectAll(model);
  }

  /** Waits until `condition` holds. Returns whether it does. */
  async eventually(condition: () => boolean): Promise<boolean> {
    const start = performance.now();
    const goesOn = this.given.clock
      ? (turns: number) => turns < VIRTUAL_TURNS
      : (turns: number) => turns < PATIENCE.turns || performance.now() - start < PATIENCE.milliseconds;
    for (let turns = 0; !condition(); turns++) {
      if (!goesOn(turns)) return false;
      await this.turn();
    }
    return true;
  }

  /** Lets one turn of the event loop pass, and everything that is due on the virtual clock. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.given.clock?.tick();
  }

  /** @param isOptional Whether the other end may never come: the dial was aborted. */
  async #accept(isOptional: boolean): Promise<void> {
    Promise.resolve(this.given.far).then(
      (far) => {
        this.far = far;
      },
      () => {},
    );
    const isThere = () => this.far !== undefined;
    if (isOptional) for (let turns = 0; turns < ABORTED_TURNS && !isThere(); turns++) await this.turn();
    else if (!(await this.eventually(isThere)))
      this.verdict.report(LAWS.delivered, 'a connection at the other end', 'none');
    this.verdict.check();
  }

  async #expectAll(model: ConnectionModel): Promise<void> {
    this.verdict.check();
    for (const expectation of expectations(model, this)) await this.#expect(expectation);
    this.verdict.check();
  }

  async #expect({ law, expected, received, holds }: Expectation): Promise<void> {
    if (!(await this.eventually(holds))) this.verdict.report(law, expected, received());
    this.verdict.check();
  }

  // A consumer that is stuck takes as much as its queue holds: here the model follows.
  #followReader(model: ConnectionModel): void {
    const { near, reader, watcher } = this;
    model.heldByConsumer = near.holds.length > model.holds;
    if (model.over) return;
    if (reader) model.position = reader.position;
    if (watcher?.ended) {
      model.endDelivered = true;
      model.endWasDelivered = true;
    }
    if (!reader || reader.kind === 'events' || !reader.ended) return;
    // Readers of bytes and of frames complete at the end, which means that they leave.
    model.deliverEnd();
    this.leave(model);
  }

  /**
   * Looks whether the socket has closed. A reset may be noticed late. An end that stalls may have got the FIN. A FIN that
   * nobody reads may have come, or wait behind more bytes than are read ahead. Here the model follows too.
   */
  followClose(model: ConnectionModel): void {
    if (this.near.readyState !== 'closed' || model.over) return;
    if (model.farReset) model.over = 'reset';
    else if (model.completed && model.farEnded && (model.stalled || !model.reader)) model.over = 'whole';
    else this.verdict.report(LAWS.clock, 'a connection that is open', `it is closed (${model.describe()})`);
  }
}
