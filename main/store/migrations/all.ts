import { first } from './0001-first.ts';
import { cancelled } from './0002-cancelled.ts';
import { auditIndex } from './0003-audit-index.ts';
import type { Migration } from './migration.ts';

/** Every step, in order. A new one is added at the end. */
export const migrations: readonly Migration[] = [first, cancelled, auditIndex];
