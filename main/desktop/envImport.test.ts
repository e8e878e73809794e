import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CodedError } from '../../contract/errors.ts';
import { EnvImport } from './envImport.ts';

type Added = Readonly<{ name: string; value: string; replace: boolean }>;
const value = (): string => randomBytes(18).toString('base64url');

describe('importing a .env file', () => {
  let folder: string;
  let file: string;
  let added: Added[];
  let known: string[];
  let chosen: string | null;
  let imports: EnvImport;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oauth3-env-'));
    file = join(folder, '.env');
    added = [];
    known = [];
    chosen = file;
    const add = (secret: Added): void => {
      if (secret.name === 'TOO_MANY') throw new CodedError('invalid_request', 'There are too many');
      added.push(secret);
    };
    imports = new EnvImport({ choose: async () => chosen, names: () => new Set(known), add });
  });
  afterEach(async () => {
    imports.forget();
    vi.useRealTimers();
    await rm(folder, { recursive: true });
  });

  it('tells names and what would become of them, and never a value', async () => {
    const [key, other] = [value(), value()];
    known = ['HAS_IT'];
    await writeFile(file, `# comment\nexport OPENAI_API_KEY="${key}"\nHAS_IT=${other}\nDEBUG=true\nPATH=/usr/bin\n`);
    const told = await imports.choose();
    expect(told?.entries).toEqual([
      { name: 'DEBUG', state: 'refused', reason: expect.any(String), hosts: [] },
      { name: 'HAS_IT', state: 'exists', reason: null, hosts: [] },
      { name: 'OPENAI_API_KEY', state: 'new', reason: null, hosts: ['api.openai.com'] },
      { name: 'PATH', state: 'refused', reason: expect.any(String), hosts: [] },
    ]);
    expect(JSON.stringify(told)).not.toContain(key);
    expect(JSON.stringify(told)).not.toContain('true');
  });

  it('adds what is chosen, replaces what exists, and says what did not go', async () => {
    const values = [value(), value(), value()] as const;
    known = ['B_KEY'];
    await writeFile(file, `A_KEY=${values[0]}\nB_KEY='${values[1]}'\nTOO_MANY=${values[2]}\nC_KEY=${value()}\n`);
    await imports.choose();
    expect(imports.import(['A_KEY', 'B_KEY', 'TOO_MANY', 'NOT_THERE'])).toEqual({
      added: ['A_KEY', 'B_KEY'],
      problems: ['TOO_MANY: There are too many', 'NOT_THERE: is not in the file that was chosen last'],
    });
    expect(added).toEqual([
      { name: 'A_KEY', value: values[0], replace: false },
      { name: 'B_KEY', value: values[1], replace: true },
    ]);
  });

  it('forgets the values after an import, when told to, and after five minutes', async () => {
    await writeFile(file, `A_KEY=${value()}\n`);
    const isForgotten = () => imports.import(['A_KEY']).added.length === 0;
    await imports.choose();
    imports.import(['A_KEY']);
    expect(isForgotten()).toBe(true);
    await imports.choose();
    imports.forget();
    expect(isForgotten()).toBe(true);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await imports.choose();
    vi.advanceTimersByTime(5 * 60_000);
    expect(isForgotten()).toBe(true);
  });

  it('takes nothing when no file is chosen', async () => {
    chosen = null;
    expect(await imports.choose()).toBeNull();
  });

  it.each([
    ['a file that is too large', async () => truncate(file, 1024 * 1024 + 1)],
    ['bytes that are no text', async () => writeFile(file, Buffer.from([0x41, 0x3d, 0xff, 0xfe]))],
    ['a file without a name', async () => writeFile(file, 'just words\n')],
    ['a file that is not there', async () => rm(file)],
  ])('refuses %s with a sentence', async (_what, make) => {
    await writeFile(file, '');
    await make();
    await expect(imports.choose()).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
