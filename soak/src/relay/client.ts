// The client of `relay`: has conversations until enough bytes have passed.
import { data, flowFrom, on, type Socket, through, writeTo } from '@rxsock/core';
import { concat, ignoreElements, merge, type Observable, of, tap } from 'rxjs';
import { ByteCheck } from '../bytes.js';
import type { Client } from '../clients.js';
import type { Findings } from '../findings.js';
import { ABORT_CODES } from '../planned-fault.js';
import { inParallel } from '../pool.js';
import { Random } from '../random.js';
import { dial } from '../transports.js';
import type { RelayJob } from './job.js';
import { downStream, type Fault, makePlan, type Plan, upStream } from './plan.js';
import { makeBytes, readAt } from './stream.js';

const AT_ONCE = 16;
/** The largest conversation has this part of all bytes, or this many. */
const LARGEST_PART = 1 / 10;
const LARGEST = 256 * 1024 * 1024;

/** The errors that the client may get. */
const EXPECTED: Readonly<Record<Fault, readonly string[]>> = {
  none: [],
  clientWrite: ['PlannedFault'],
  clientLeave: [],
  originWrite: ABORT_CODES,
  // The relay may also be cut while the TLS handshake is under way.
  cut: [...ABORT_CODES, 'ERR_TLS_HANDSHAKE'],
};

export const relayClient: Client<RelayJob> = async ({ routes, bytes, seed }, findings, queues) => {
  const random = new Random(seed);
  const largest = Math.max(1, Math.min(LARGEST, Math.round(bytes * LARGEST_PART)));
  const plans: Plan[] = [];
  for (let planned = 0; planned < bytes; ) {
    const plan = makePlan(plans.length, random, largest);
    plans.push(plan);
    planned += plan.up + plan.down;
  }
  await inParallel(plans.length, AT_ONCE, async (index) => {
    const plan = plans[index] as Plan;
    const route = random.pick(routes);
    const socket = dial(plan.fault === 'cut' ? route.cutting : route.whole);
    const unwatch = queues.watch(socket);
    await converse(plan, socket, findings);
    unwatch();
  });
};

/** Resolves when the socket is closed. */
async function converse(plan: Plan, socket: Socket, findings: Findings): Promise<void> {
  const check = new ByteCheck(downStream(plan));
  const random = new Random(plan.id);
  findings.count(plan.fault === 'none' ? 'without a fault' : 'with a fault');
  const closed = new Promise<void>((resolve) => {
    socket.pipe(on('close')).subscribe({ complete: resolve, error: () => resolve() });
  });
  const ended = new Promise<void>((resolve) => {
    const answer = exchange(plan, socket, random).pipe(
      readAt(plan.clientPace, socket, random),
      tap((chunk) => {
        check.push(chunk);
        if (check.wrong) findings.violation(`client: wrong bytes in ${plan.kind}`);
      }),
    );
    const subscription = answer.subscribe({
      next: () => {
        if (plan.fault !== 'clientLeave' || check.received < plan.faultAt) return;
        subscription.unsubscribe();
        resolve();
      },
      error: (error) => {
        findings.error(error, `client, ${plan.fault}`, EXPECTED[plan.fault]);
        resolve();
      },
      complete: () => {
        findings.count('whole answers');
        if (check.received !== plan.down)
          findings.violation(
            `client: a FIN after a part, ${socket.type} ${plan.kind}, ${plan.fault} ${check.received} of ${plan.down}`,
          );
        resolve();
      },
    });
  });
  await ended;
  await closed;
  findings.count('bytes received', check.received);
}

function exchange(plan: Plan, socket: Socket, random: Random): Observable<Buffer> {
  const failAt = plan.fault === 'clientWrite' ? plan.faultAt : Number.POSITIVE_INFINITY;
  const head = Buffer.from(`${JSON.stringify(plan)}\n`);
  const source = concat(of(head), flowFrom(makeBytes(upStream(plan), plan.up, random, failAt)));
  if (plan.kind !== 'answerFirst') return source.pipe(through(socket));
  // through() would end with the answer, and cut what is still to be sent.
  socket.allowHalfOpen = true;
  return merge(source.pipe(writeTo(socket), ignoreElements()), socket.pipe(data()));
}
