import { expect, it } from 'vitest';
import { FakeBackend } from './fakeBackend.ts';
import { Warmth } from './warmth.ts';

it('holds nothing ready while nothing may run or the machine sleeps', () => {
  const backend = new FakeBackend();
  let mayRun = true;
  const warmth = new Warmth([backend], () => mayRun);
  warmth.look();
  expect(backend.isWarm).toBe(true);
  mayRun = false;
  warmth.look();
  expect(backend.isWarm).toBe(false);
  mayRun = true;
  warmth.sleep(true);
  expect(backend.isWarm).toBe(false);
  warmth.sleep(false);
  expect(backend.isWarm).toBe(true);
});
