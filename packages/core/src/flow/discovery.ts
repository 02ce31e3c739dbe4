// How a source and its consumer find each other through stock RxJS operators. A consumer, such as mapWithBackpressure,
// must hold the sources of its values while it is behind. It has a FlowSet, and each source joins that set: it adds its
// flow, so that a hold of the set holds the source. A source finds the set in one of two ways.
//
// 1. The walk. When a source is subscribed, it walks from its subscriber to the subscriber's `destination`, and so on
//    towards the end of the pipeline. It joins the first FlowSet on the way. For
//    `socket.pipe(data(), map(f), mapWithBackpressure(save))`:
//
//      socket ──subscribe──▶ FlowSubscriber ──▶ OperatorSubscriber ──▶ FlowSubscriber { flows } ──▶ …
//                            of data()          of map()               of mapWithBackpressure(): joined, the walk ends
//
//    The walk passes every operator whose subscribers have a `destination`. It also works for the inner sources of
//    mergeMap and switchMap.
//
// 2. The stand-in. A Subject breaks the chain: `share()` subscribes to the socket with a subscriber that has no
//    destination. But an operator creates its result with `lift`, and Flowable's `lift` passes the flow on. So
//    `socket.pipe(share())` is a Flowable that remembers the socket's flow. When that Flowable is subscribed, it walks
//    in place of the socket, and joins the socket's flow to the consumer:
//
//      socket ──subscribe──▶ subscriber of share(), the walk ends without a consumer
//                            share()'s result ──stand-in──▶ FlowSubscriber { flows }: joined
//
// If the source finds the same consumer by its own walk, the stand-in leaves: the walk passes the subscriber for which
// the stand-in was created. A stand-in lasts as long as its subscription, which may be too long: in
// `socket.pipe(data(), take(1), switchMap(f), mapWithBackpressure(save))` it would still hold the socket after take(1)
// has left it.
import type { Subscriber } from 'rxjs';
import { checkCopy } from '../base/copy.js';
import type { Flow } from './flow.js';
import { FlowSet } from './flow-set.js';

/** A remembered flow in a consumer's set. It leaves when its source finds the consumer by the walk. */
export interface StandIn {
  readonly origin: Flow;
  /** Whether it has left: its source has found the consumer, or the subscription is over. */
  left: boolean;
  readonly leave: () => void;
}

/** The stand-ins that were created for each subscriber. */
const standIns = new WeakMap<object, Set<StandIn>>();

/** The properties of a subscriber that the walk reads: the set of a consumer, and the next subscriber. */
type Step = { readonly flows?: unknown; readonly destination?: unknown } | undefined;

/**
 * Walks from `subscriber`, and adds `flow` to the first FlowSet on the way.
 * @param origin The flow that Flowables remember for this source. Stand-ins with this flow leave.
 * @throws TypeError if the consumer belongs to another copy of this package.
 * @returns The set that `flow` has joined, and must leave again; `undefined` if there is no consumer.
 */
export function joinConsumer(subscriber: Subscriber<unknown>, flow: Flow, origin: Flow = flow): FlowSet | undefined {
  const passed: StandIn[] = [];
  for (let step = subscriber as unknown as Step; step; step = step.destination as Step) {
    const here = standIns.get(step);
    if (here) for (const standIn of here) if (standIn.origin === origin) passed.push(standIn);
    const { flows } = step;
    if (flows instanceof FlowSet) {
      flows.join(flow);
      for (const standIn of passed) standIn.leave();
      return flows;
    }
    checkCopy(flows);
  }
  return undefined;
}

/**
 * Joins the consumer in place of a source, until the source finds the consumer. Returns `undefined` if there is no
 * consumer.
 */
export function standInFor(origin: Flow, subscriber: Subscriber<unknown>): StandIn | undefined {
  const consumer = joinConsumer(subscriber, origin);
  if (!consumer) return undefined;
  const here = standIns.get(subscriber) ?? new Set();
  standIns.set(subscriber, here);
  const standIn: StandIn = {
    origin,
    left: false,
    leave: () => {
      if (standIn.left) return;
      standIn.left = true;
      here.delete(standIn);
      consumer.leave(origin);
    },
  };
  here.add(standIn);
  return standIn;
}
