import { describe, expect, it } from 'vitest';
import { readCommentTags } from './commentTags.ts';

describe('readCommentTags', () => {
  it('reads all tags from comments of each kind', () => {
    const code = [
      '#!/usr/bin/env -S deno run',
      '/**',
      ' * @skill mail-sender',
      ' * @description Sends a mail, then waits',
      ' */',
      '// @secrets MAIL_KEY, OTHER_KEY',
      '# @network api.mail.example.com, *.example.com:8443',
      '/* @timeout 45 */',
      '//@runtime: quickjs',
      'send();',
    ].join('\r\n');
    expect(readCommentTags(code)).toEqual({
      skill: 'mail-sender',
      description: 'Sends a mail, then waits',
      secrets: ['MAIL_KEY', 'OTHER_KEY'],
      network: ['api.mail.example.com', '*.example.com:8443'],
      timeout: 45,
      runtime: 'quickjs',
    });
  });

  it('takes the first of each tag', () => {
    expect(readCommentTags('// @secrets A\n// @secrets B').secrets).toEqual(['A']);
    expect(readCommentTags('// @secrets\n// @secrets B').secrets).toEqual([]);
  });

  it('looks at comment lines of the first hundred lines only', () => {
    expect(readCommentTags('const a = "// @secrets A";\nfoo(); // @secrets B')).toEqual({});
    expect(readCommentTags(`${'\n'.repeat(99)}// @skill in`).skill).toBe('in');
    expect(readCommentTags(`${'\n'.repeat(100)}// @skill out`)).toEqual({});
  });

  it('knows no other tags, and no longer words', () => {
    expect(readCommentTags('// @secretsX A\n// @author me\n// @ skill x\n// @SKILL x')).toEqual({});
  });

  it.each(['abc', '-5', '1e3', '0x10', '30s', '', ' 1 2'])('keeps a timeout of %j recognisably wrong', (text) => {
    expect(readCommentTags(`// @timeout ${text}`).timeout).toBeNaN();
  });

  it('takes no long time over hostile lines', () => {
    const started = performance.now();
    readCommentTags(`// @skill ${' '.repeat(250_000)}x`);
    readCommentTags(`${'/'.repeat(250_000)} @`);
    readCommentTags(`${'*'.repeat(250_000)}`);
    readCommentTags('\n'.repeat(250_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
