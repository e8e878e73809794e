import { expect, it } from 'vitest';
import { wakeText } from './wakeText.ts';

const request = { id: 'req_1', skillId: 'openai-completion', stdout: 'secret output' };

it('tells id, skill and outcome, and nothing of the output', () => {
  const text = wakeText(request, 'failed');
  expect(text).toContain('req_1');
  expect(text).toContain('openai-completion');
  expect(text).toContain('failed');
  expect(text).not.toContain('secret');
});
