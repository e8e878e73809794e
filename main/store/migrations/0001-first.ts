import type { Migration } from './migration.ts';

/** Everything the first release keeps. Times are UTC milliseconds, hashes lower-case hex, lists and objects JSON text. */
export const first: Migration = {
  version: 1,
  name: 'first',
  sql: `
CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  token_sha256 TEXT NOT NULL UNIQUE,
  paused_at INTEGER,
  revoked_at INTEGER,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER,
  -- Kept by the triggers below: counting rows at every intake would grow with the queue.
  pending_requests INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX agents_live_name ON agents (name) WHERE revoked_at IS NULL;

CREATE TABLE secrets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  encrypted_value BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  delivery TEXT NOT NULL CHECK (delivery IN ('placeholder', 'raw')),
  binding_revision INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;

-- When each value came to be; the values themselves are not kept.
CREATE TABLE secret_versions (
  secret_id TEXT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (secret_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE bindings (
  secret_id TEXT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  hosts TEXT NOT NULL,
  places TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('owner', 'table')),
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (secret_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE code_blobs (
  sha256 TEXT PRIMARY KEY,
  bytes BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE manifests (
  digest TEXT PRIMARY KEY,
  code_hash TEXT NOT NULL REFERENCES code_blobs (sha256),
  version INTEGER NOT NULL,
  json TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- No foreign key to manifests: it would need an index of its own, and every index is a page more for each intake to
-- write. The manifest is inserted in the same transaction, and pruning looks at what is still named.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  skill_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN
    ('pending', 'approved', 'running', 'success', 'failed', 'denied', 'expired', 'cancelled', 'interrupted')),
  manifest_digest TEXT NOT NULL,
  trust_key TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  idempotency_key TEXT,
  body_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  decision TEXT CHECK (decision IN ('once', '24h', 'forever', 'deny')),
  decided_by TEXT,
  deny_reason TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  approval_id TEXT REFERENCES approvals (id),
  trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
  request_bindings TEXT NOT NULL DEFAULT '{}',
  error_code TEXT,
  error_message TEXT,
  result_fetched_at INTEGER
) STRICT;
CREATE INDEX requests_created ON requests (created_at);
CREATE INDEX requests_pending ON requests (manifest_digest, expires_at) WHERE status = 'pending';
CREATE INDEX requests_under_way ON requests (status) WHERE status IN ('approved', 'running');
CREATE INDEX requests_lineage ON requests (agent_id, skill_id, decided_at) WHERE approval_id IS NOT NULL;

CREATE TRIGGER requests_pending_added AFTER INSERT ON requests WHEN NEW.status = 'pending' BEGIN
  UPDATE agents SET pending_requests = pending_requests + 1 WHERE id = NEW.agent_id;
END;
CREATE TRIGGER requests_pending_ended AFTER UPDATE OF status ON requests
WHEN OLD.status = 'pending' AND NEW.status <> 'pending' BEGIN
  UPDATE agents SET pending_requests = pending_requests - 1 WHERE id = NEW.agent_id;
END;
-- The state machine once more, for every hand that can write here: nothing goes back, a final state stays.
CREATE TRIGGER requests_forward_only BEFORE UPDATE OF status ON requests
WHEN NOT (
  (OLD.status = 'pending' AND NEW.status IN ('approved', 'denied', 'expired', 'cancelled')) OR
  (OLD.status = 'approved' AND NEW.status IN ('running', 'failed', 'interrupted')) OR
  (OLD.status = 'running' AND NEW.status IN ('success', 'failed', 'interrupted'))
) BEGIN
  SELECT RAISE(ABORT, 'a request cannot make this step');
END;

CREATE TABLE idempotency_keys (
  agent_id TEXT NOT NULL REFERENCES agents (id),
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
  PRIMARY KEY (agent_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_request ON idempotency_keys (request_id);

CREATE TABLE decisions (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE REFERENCES requests (id) ON DELETE CASCADE,
  decision TEXT NOT NULL CHECK (decision IN ('once', '24h', 'forever', 'deny')),
  principal TEXT NOT NULL,
  at INTEGER NOT NULL,
  deny_reason TEXT,
  -- What was on the card; the digest that was approved may be another one, when bindings were kept.
  manifest_digest TEXT NOT NULL
) STRICT;

CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  skill_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  trust_level TEXT NOT NULL CHECK (trust_level IN ('once', '24h', 'forever')),
  approved_at INTEGER NOT NULL,
  expires_at INTEGER,
  trust_key TEXT NOT NULL,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  args_policy TEXT NOT NULL CHECK (args_policy IN ('exact', 'any')),
  principal TEXT NOT NULL,
  request_id TEXT NOT NULL REFERENCES requests (id),
  manifest_digest TEXT NOT NULL,
  revoked_at INTEGER,
  suspended_at INTEGER,
  suspend_reason TEXT,
  last_used_at INTEGER,
  use_count INTEGER NOT NULL DEFAULT 0,
  -- HMAC with a key of the vault over all that cannot change; taken away when the entry ends.
  mac TEXT
) STRICT;
CREATE UNIQUE INDEX approvals_live_standing ON approvals (trust_key)
  WHERE trust_level IN ('24h', 'forever') AND revoked_at IS NULL AND suspended_at IS NULL;
CREATE INDEX approvals_trust_key ON approvals (trust_key);
CREATE INDEX approvals_request ON approvals (request_id);

CREATE TABLE executions (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE REFERENCES requests (id),
  skill_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'success', 'failed', 'interrupted')),
  approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
  executed_at INTEGER NOT NULL,
  duration_ms INTEGER,
  result TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;
CREATE INDEX executions_with_result ON executions (finished_at) WHERE result IS NOT NULL;

CREATE TABLE egress_log (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id),
  at INTEGER NOT NULL,
  method TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  path TEXT NOT NULL,
  status INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  secrets TEXT NOT NULL,
  refused TEXT,
  placeholder_in_body INTEGER NOT NULL CHECK (placeholder_in_body IN (0, 1))
) STRICT;
CREATE INDEX egress_log_request ON egress_log (request_id);
CREATE INDEX egress_log_at ON egress_log (at);

CREATE TABLE cards (
  subject TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  reference TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (subject, subject_id, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE card_nonces (
  nonce TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  revision TEXT NOT NULL,
  action TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_nonces_subject ON card_nonces (subject, subject_id);

CREATE TABLE pairings (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  code TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'collected')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  agent_id TEXT REFERENCES agents (id)
) STRICT;

CREATE TABLE wake_outbox (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  text TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('final', 'reminder')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX wake_outbox_next ON wake_outbox (next_at);
CREATE INDEX wake_outbox_request ON wake_outbox (request_id);

CREATE TABLE audit_events (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  request_id TEXT,
  payload TEXT,
  payload_hash TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_events_request ON audit_events (request_id) WHERE request_id IS NOT NULL;
CREATE TRIGGER audit_events_stay BEFORE DELETE ON audit_events BEGIN
  SELECT RAISE(ABORT, 'audit events are never deleted');
END;
-- The one change that is allowed takes a payload away; its hash stays in the chain.
CREATE TRIGGER audit_events_keep_their_word BEFORE UPDATE ON audit_events
WHEN NEW.payload IS NOT NULL OR NEW.seq IS NOT OLD.seq OR NEW.at IS NOT OLD.at OR NEW.actor IS NOT OLD.actor
  OR NEW.kind IS NOT OLD.kind OR NEW.request_id IS NOT OLD.request_id OR NEW.payload_hash IS NOT OLD.payload_hash
  OR NEW.prev_hash IS NOT OLD.prev_hash OR NEW.hash IS NOT OLD.hash BEGIN
  SELECT RAISE(ABORT, 'audit events are never changed');
END;

-- One row, id 1: the newest event that was sealed with a key of the vault.
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  mac TEXT NOT NULL
) STRICT;
-- Earlier heads. A log that was cut or rewritten no longer meets them.
CREATE TABLE audit_checkpoints (
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  mac TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE vault_slots (
  id TEXT PRIMARY KEY,
  protector TEXT NOT NULL UNIQUE,
  wrapped BLOB NOT NULL,
  params TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE broker_state (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE health_probe (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  filler BLOB NOT NULL
) STRICT;

-- Filled by later releases; the names are part of the outside surface.
CREATE TABLE skills (
  id TEXT PRIMARY KEY,
  skill_id TEXT NOT NULL UNIQUE,
  code_hash TEXT NOT NULL REFERENCES code_blobs (sha256),
  source_url TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE llm_grants (
  id TEXT PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  provider TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'denied', 'expired', 'revoked', 'used_up')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT;
CREATE TABLE llm_usage (
  id INTEGER PRIMARY KEY,
  grant_id TEXT NOT NULL REFERENCES llm_grants (id),
  at INTEGER NOT NULL,
  model TEXT NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL
) STRICT;
`,
};
