// The origin server of `relay`: follows the plan of each conversation, and checks what it receives.
import { data, flowFrom, reader, type Socket } from '@rxsock/core';
import { concat, defer, ignoreElements, map, mergeMap, type Observable, tap } from 'rxjs';
import { ByteCheck } from '../bytes.js';
import type { Findings } from '../findings.js';
import { PlannedFault } from '../planned-fault.js';
import { Random } from '../random.js';
import { downStream, type Plan, upStream } from './plan.js';
import { makeBytes, readAt } from './stream.js';

export function answer(socket: Socket, findings: Findings): Observable<Buffer> {
  return defer(() => readPlan(socket)).pipe(mergeMap((plan) => follow(plan, socket, findings)));
}

async function readPlan(socket: Socket): Promise<Plan> {
  const input = reader(socket);
  const line = await input.readLine();
  input.release();
  // The connection has ended without a plan.
  if (line === undefined) throw new PlannedFault('no plan came');
  return JSON.parse(line);
}

function follow(plan: Plan, socket: Socket, findings: Findings): Observable<Buffer> {
  const random = new Random(plan.id);
  const failAt = plan.fault === 'originWrite' ? plan.faultAt : Number.POSITIVE_INFINITY;
  const output = flowFrom(makeBytes(downStream(plan), plan.down, random, failAt));
  const input = receive(plan, socket, findings, random);
  switch (plan.kind) {
    case 'echo':
      return input.pipe(failAfter(failAt));
    case 'upload':
      return concat(input.pipe(ignoreElements()), output);
    case 'download':
      return output;
    case 'answerFirst':
      // An error of the connection is a connectionError of serve(), too.
      input.subscribe({ error: () => {} });
      return output;
  }
}

/** Receives and checks what the client sends. */
function receive(plan: Plan, socket: Socket, findings: Findings, random: Random): Observable<Buffer> {
  const check = new ByteCheck(upStream(plan));
  return socket.pipe(
    data(),
    readAt(plan.originPace, socket, random),
    tap({
      next: (chunk) => {
        check.push(chunk);
        if (check.wrong) findings.violation(`origin: wrong bytes in ${plan.kind}`);
      },
      complete: () => {
        findings.count('whole uploads');
        if (check.received !== plan.up) findings.violation(`origin: a FIN after a part, ${plan.kind}, ${plan.fault}`);
      },
    }),
  );
}

/** Fails in place of the chunk with the byte at `failAt`. */
function failAfter(failAt: number) {
  let passed = 0;
  return map((chunk: Buffer) => {
    passed += chunk.length;
    if (passed > failAt) throw new PlannedFault('the echo has failed on purpose');
    return chunk;
  });
}
