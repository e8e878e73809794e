import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../core/log.ts';
import { Engine } from './engine.ts';
import { Reaper } from './reaper.ts';
import { answerJson, FakeEngine } from './testing.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const idOf = (letter: string): string => letter.repeat(64);

function listed(letter: string, install: string | null, sandbox = letter): object {
  const labels = install === null ? null : { 'oauth3.install': install, 'oauth3.sandbox': sandbox };
  return { Id: idOf(letter), Labels: labels };
}

async function open(containers: readonly object[]) {
  const fake = new FakeEngine();
  let asked = '';
  fake.on('GET /containers/json', (response, request) => {
    asked = decodeURIComponent(request.url ?? '');
    // As an engine would that does not know the filter.
    answerJson(containers)(response, request);
  });
  for (const letter of ['a', 'b', 'c', 'd', 'e']) {
    fake.on(`DELETE /containers/${idOf(letter)}`, (response) => void response.writeHead(204).end());
  }
  await fake.start();
  ends.push(() => fake.stop());
  const engine = new Engine({ endpoint: fake.endpoint, log: silentLog });
  ends.push(() => engine.stop());
  const reaper = new Reaper({ engine, installId: 'mine', log: silentLog });
  ends.push(() => reaper.stop());
  const removed = (): readonly string[] =>
    fake.calls
      .filter((call) => call.startsWith('DELETE '))
      .map((call) => call.slice('DELETE /containers/'.length)[0] ?? '');
  return { fake, engine, reaper, removed, asked: () => asked };
}

describe('the reaper', () => {
  it('removes what is of its own installation and looked after by nobody, and no other', async () => {
    const { engine, reaper, removed, asked } = await open([
      listed('a', 'mine'),
      listed('b', 'mine', 'looked-after'),
      listed('c', 'mine2'),
      listed('d', null),
      listed('e', 'theirs'),
    ]);
    engine.live.add('looked-after');
    await engine.start();
    await reaper.start();
    expect(removed()).toEqual(['a']);
    expect(asked()).toContain('all=1');
    expect(asked()).toContain('{"label":["oauth3.install=mine"]}');
  });

  it('goes on when one cannot be removed, and tells how many it did', async () => {
    const { fake, engine, reaper, removed } = await open([listed('a', 'mine'), listed('b', 'mine')]);
    fake.on(`DELETE /containers/${idOf('b')}`, answerJson({ message: 'it is stuck' }, 500));
    await engine.start();
    expect(await reaper.sweep()).toBe(1);
    expect([...removed()].sort()).toEqual(['a', 'b']);
  });

  it('does nothing without an engine, and sweeps when there is one again', async () => {
    const { fake, engine, reaper, removed } = await open([listed('a', 'mine')]);
    await fake.stop();
    await engine.start();
    await reaper.start();
    expect(removed()).toEqual([]);
    await fake.start();
    while (removed().length === 0) await new Promise(setImmediate);
    expect(removed()).toEqual(['a']);
  });
});
