import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import type { Store } from '../../main/store/store.ts';
import {
  addAgent,
  addSecret,
  approved,
  auditKinds,
  bytes,
  fakeKey,
  openRunHouse,
  type RunHouse,
  status,
  tamper,
  untilFinal,
} from '../support/runHouse.ts';

const houses: RunHouse[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.end();
});

function openHouse(broken: Partial<Store> = {}): RunHouse {
  const house = openRunHouse(broken);
  houses.push(house);
  return house;
}

describe('what is not what was approved never runs', () => {
  const ends = async (house: RunHouse, id: string, code: string): Promise<void> => {
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    expect(house.store.request(id)).toMatchObject({ status: 'failed', error: { code } });
    expect(house.backend.jobs).toHaveLength(0);
    expect(house.store.result(id)).toBeNull();
  };

  it('L190 a changed byte of stored code', async () => {
    const house = openHouse();
    const id = approved(house, { code: 'console.log(1)' });
    tamper(house, 'UPDATE code_blobs SET bytes = ?', Buffer.from('console.log(2)'));
    await ends(house, id, 'digest_mismatch');
    expect(auditKinds(house)).toContain('run.digest_mismatch');
  });

  it('L190 a changed stored manifest', async () => {
    const house = openHouse();
    const id = approved(house);
    tamper(house, `UPDATE manifests SET json = replace(json, 'api.example.com', 'evil.example.com')`);
    await ends(house, id, 'digest_mismatch');
  });

  it('L187 a secret with a new value, another binding or another delivery', async () => {
    const house = openHouse();
    const secretId = addSecret(house, 'API_KEY');
    const rotated = approved(house, { secrets: ['API_KEY'] });
    house.store.replaceSecretValue(secretId, randomBytes(64), 'cli', Date.now());
    house.values.set(secretId, { version: 2, value: fakeKey() });
    await ends(house, rotated, 'secret_changed');
    const bound = approved(house, { secrets: ['API_KEY'] });
    const places = { headers: [], query: [], path: false, json: [], form: [] };
    house.store.setBinding(secretId, { hosts: ['other.example.com'], places, source: 'owner' }, 'cli', Date.now());
    await ends(house, bound, 'secret_changed');
    const delivered = approved(house, { secrets: ['API_KEY'] });
    house.store.setSecretDelivery(secretId, 'raw', 'cli', Date.now());
    await ends(house, delivered, 'secret_changed');
    const removed = approved(house, { secrets: ['API_KEY'] });
    house.store.removeSecret(secretId, 'cli', Date.now());
    await ends(house, removed, 'secret_changed');
  });

  it('L187 a request of an agent that was revoked or paused meanwhile', async () => {
    const house = openHouse();
    const agentId = addAgent(house.store);
    const paused = approved(house, { agentId });
    house.store.setAgentPaused(agentId, true, 'cli', Date.now());
    await ends(house, paused, 'agent_paused');
    const revoked = approved(house, { agentId });
    house.store.revokeAgent(agentId, 'cli', Date.now());
    await ends(house, revoked, 'agent_revoked');
  });

  it('one whose trust was taken back before it started', async () => {
    const house = openHouse();
    const id = approved(house, { decision: 'forever' });
    house.store.revokeAllTrust('cli', Date.now());
    await ends(house, id, 'trust_revoked');
  });

  it('H145 one whose sandbox was replaced after the approval', async () => {
    const house = openHouse();
    const id = approved(house);
    house.backend.ownCarrier = { image: 'sha256:another', runner: '', seccomp: '' };
    await ends(house, id, 'sandbox_changed');
  });

  it('anything while the vault is locked or the sandbox is down', async () => {
    const house = openHouse();
    house.switches.unlocked = false;
    await ends(house, approved(house), 'vault_locked');
    house.switches.unlocked = true;
    house.backend.state = { ready: false, coming: false, reason: 'it is down' };
    await ends(house, approved(house), 'sandbox_unavailable');
  });
});

describe('a store that takes no writes', () => {
  const full = (): never => {
    throw new CodedError('storage_unavailable', 'The disk is full');
  };
  const retryMs = 5_000;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('P259 runs nothing while the start cannot be recorded, and runs it once when it can', async () => {
    const broken: Partial<Store> = { startRun: full };
    const house = openHouse(broken);
    const id = approved(house);
    house.scheduler.enqueue(id);
    expect(house.backend.jobs).toHaveLength(0);
    vi.advanceTimersByTime(retryMs);
    expect(house.backend.jobs).toHaveLength(0);
    expect(status(house, id)).toBe('approved');
    delete broken.startRun;
    vi.advanceTimersByTime(retryMs);
    await untilFinal(house, id);
    expect(house.backend.jobs).toHaveLength(1);
  });

  it('L188 runs nothing when somebody else has taken the approval', () => {
    const house = openHouse({ startRun: () => false });
    house.scheduler.enqueue(approved(house));
    expect(house.backend.jobs).toHaveLength(0);
    expect(house.scheduler.counts()).toEqual({ running: 0, queued: 0 });
  });

  it('P259 keeps the result of a run until it can be written', async () => {
    const broken: Partial<Store> = { finishRun: full };
    const house = openHouse(broken);
    house.backend.script = async (_job, io) => {
      io.stdout(bytes('kept'));
      return { kind: 'exited', exitCode: 0 };
    };
    const id = approved(house);
    house.scheduler.enqueue(id);
    await vi.waitFor(() => expect(house.scheduler.counts().running).toBe(0));
    expect(status(house, id)).toBe('running');
    delete broken.finishRun;
    vi.advanceTimersByTime(retryMs);
    expect(house.store.result(id)?.stdout).toBe('kept');
    expect(status(house, id)).toBe('success');
  });
});

describe('the way out of a run', () => {
  const ran = async (house: RunHouse, wish: Parameters<typeof approved>[1] = {}): Promise<string> => {
    const id = approved(house, wish);
    house.scheduler.enqueue(id);
    await untilFinal(house, id);
    return id;
  };

  it('I161 has the bounds that the manifest states', async () => {
    const house = openHouse();
    const id = await ran(house);
    const traffic = house.store.manifest(house.store.request(id)?.manifestDigest ?? '')?.traffic;
    expect(traffic).toEqual({ requests: 1000, open: 16, bytesIn: 256 * 1024 ** 2, bytesOut: 64 * 1024 ** 2 });
    expect(house.sessions[0]?.limits).toEqual({
      maxRequests: traffic?.requests,
      maxConcurrent: traffic?.open,
      maxBytesIn: traffic?.bytesIn,
      maxBytesOut: traffic?.bytesOut,
      requestTimeoutMs: 30_000,
    });
  });

  it('B49 knows the hosts of secrets that are delivered raw as well, to open no WebSocket to them', async () => {
    const house = openHouse();
    addSecret(house, 'RAW_KEY', 'raw');
    await ran(house, { secrets: ['RAW_KEY'] });
    expect(house.sessions[0]).toMatchObject({ secrets: [], boundHosts: [{ host: 'api.example.com', port: 443 }] });
  });
});
