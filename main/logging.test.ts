import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';

// It writes to the file descriptor of stderr, so it is looked at from outside.
function logged(fields: object): string {
  const script = `import(${JSON.stringify(new URL('./logging.ts', import.meta.url).href)}).then(({ createLog }) =>
    createLog('info').warn(JSON.parse(process.argv[1]), 'said'))`;
  return spawnSync(process.execPath, ['-e', script, JSON.stringify(fields)], { encoding: 'utf8' }).stderr;
}

it('F116 writes no field that can hold a secret, also one level down', () => {
  const secret = randomBytes(16).toString('hex');
  const line = logged({ requestId: 'req_1', value: secret, options: { authorization: `Bearer ${secret}` } });
  expect(line).not.toContain(secret);
  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    requestId: 'req_1',
    value: '[redacted]',
    options: { authorization: '[redacted]' },
    msg: 'said',
  });
});
