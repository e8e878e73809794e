import type { Migration } from './migration.ts';

/** What an agent took back counts toward its pending cap for a while. Intake never writes here: no row starts cancelled. */
export const cancelled: Migration = {
  version: 2,
  name: 'cancelled',
  sql: `CREATE INDEX requests_cancelled ON requests (agent_id, expires_at) WHERE status = 'cancelled';`,
};
