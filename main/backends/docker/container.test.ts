import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Container } from './container.ts';
import { EngineApi, EngineError } from './engineApi.ts';
import { answerNever, answerOpen, FakeEngine } from './testing.ts';

let engine: FakeEngine;
let api: EngineApi;

beforeEach(async () => {
  engine = new FakeEngine();
  await engine.start();
  api = new EngineApi(engine.endpoint);
});

afterEach(async () => {
  api.close();
  await engine.stop();
});

describe('making a container', () => {
  it.each([
    ['says nothing', answerNever],
    ['begins an answer and says no more', answerOpen],
  ])('is given up with its caller at an engine that %s', async (_name, answer) => {
    const leaving = new AbortController();
    const asked = new Promise<void>((resolve) =>
      engine.on('POST /containers/create', (response, request) => {
        answer(response, request);
        resolve();
      }),
    );
    const making = Container.create(api, {}, leaving.signal);
    await asked;
    leaving.abort();
    await expect(making).rejects.toThrow(EngineError);
  });
});
