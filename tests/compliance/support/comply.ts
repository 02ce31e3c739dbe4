// Runs every behaviour against one transport. If a transport lacks what a behaviour needs, there is no test.
import { describe, expect, test } from 'vitest';
import './compliance.js';
import { topics } from '../behaviours/index.js';
import { Lab, type Role } from './lab.js';
import { satisfies, type Transport } from './transport.js';

/** Registers the tests. Behaviours of two sockets are checked from the dialled end and from the accepted end. */
export function comply(transport: Transport): void {
  for (const { title, behaviours } of topics) {
    const supported = behaviours.filter(({ needs }) => satisfies(transport, needs));
    if (supported.length === 0) continue;
    describe(title, () => {
      for (const { name, needs, check } of supported) {
        const both = transport.has.server && !needs.includes('server');
        for (const role of both ? (['dialled', 'accepted'] as Role[]) : (['dialled'] as Role[])) {
          test(both ? `${name} (${role})` : name, async ({ task }) => {
            task.meta.compliance = { transport: transport.name, topic: title, behaviour: name };
            const lab = new Lab(transport, role);
            await check(lab);
            expect(lab.warnings()).toEqual([]);
          });
        }
      }
    });
  }
}
