// How a consumer finds the sources that reach it, through stock RxJS operators. There are two mechanisms.
//
// 1. The walk. A source that is subscribed walks from its subscriber along `destination`, towards the end of the
//    pipeline, and joins the first FlowSet on its way. For `socket.pipe(data(), map(f), mapWithBackpressure(save))`:
//
//      socket ──subscribe──▶ FlowSubscriber ──▶ OperatorSubscriber ──▶ FlowSubscriber { flows } ──▶ …
//                            of data()          of map()               of mapWithBackpressure(): joined, the walk ends
//
//    It crosses every operator whose subscribers know their destination, with inner sources of mergeMap and switchMap.
//
// 2. The stand-in. A Subject breaks the chain: `share()` subscribes to the socket with a subscriber that has no
//    destination. But `lift` passes the socket's flow to what an operator returns, so `socket.pipe(share())` is a
//    Flowable that remembers it. When that Flowable is subscribed, it joins the consumer in place of the socket:
//
//      socket ──subscribe──▶ subscriber of share(), the walk ends without a consumer
//                            share()'s result ──stand-in──▶ FlowSubscriber { flows }: joined
//
// Where both find the consumer, the stand-in leaves: the walk passes the subscriber that the stand-in was made for.
// Otherwise a switchMap would keep its outer source held for a consumer that has long left it.
import type { Subscriber } from 'rxjs';
import type { Flow } from './flow.js';
import { FlowSet } from './flow-set.js';

/** A remembered flow in a consumer's set, until its source finds the consumer by the walk. */
export interface StandIn {
  readonly origin: Flow;
  /** Whether it has left: its source has found the consumer, or the subscription is over. */
  left: boolean;
  readonly leave: () => void;
}

/** Stand-ins by the subscriber that they were made for. */
const standIns = new WeakMap<object, Set<StandIn>>();

/** What the walk reads of a subscriber: the set of a consumer, and the next subscriber. */
type Step = { readonly flows?: unknown; readonly destination?: unknown } | undefined;

/**
 * Joins the consumer that `subscriber` leads to: the first FlowSet on the walk.
 * @param origin The flow that Flowables remember for this source. Stand-ins for it leave.
 * @returns Leaves the consumer; `undefined` if there is none.
 */
export function joinConsumer(
  subscriber: Subscriber<unknown>,
  flow: Flow,
  origin: Flow = flow,
): (() => void) | undefined {
  const passed: StandIn[] = [];
  for (let step = subscriber as unknown as Step; step; step = step.destination as Step) {
    for (const standIn of standIns.get(step) ?? []) if (standIn.origin === origin) passed.push(standIn);
    if (step.flows instanceof FlowSet) {
      const leave = step.flows.add(flow);
      for (const standIn of passed) standIn.leave();
      return leave;
    }
  }
  return undefined;
}

/** Joins the consumer in place of a source, until the source finds it. Returns `undefined` if there is no consumer. */
export function standInFor(origin: Flow, subscriber: Subscriber<unknown>): StandIn | undefined {
  const leaveConsumer = joinConsumer(subscriber, origin);
  if (!leaveConsumer) return undefined;
  const here = standIns.get(subscriber) ?? new Set();
  standIns.set(subscriber, here);
  const standIn: StandIn = {
    origin,
    left: false,
    leave: () => {
      standIn.left = true;
      here.delete(standIn);
      leaveConsumer();
    },
  };
  here.add(standIn);
  return standIn;
}
