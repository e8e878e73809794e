import { destination, pino } from 'pino';
import type { LogLevel } from './core/config.ts';
import type { Log } from './core/log.ts';

/**
 * Field names that can hold something secret. Nothing of ours logs such a field; this is the net under it.
 * See also `core/log.ts`: neither fields nor messages hold a secret.
 */
const secretFields = [
  'token',
  'value',
  'passphrase',
  'password',
  'secret',
  'authorization',
  'stdout',
  'stderr',
  'body',
];

/** The log of this process: JSON lines on stderr, written at once. stdout belongs to the ready line. */
export function createLog(level: LogLevel): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    destination({ dest: 2, sync: true }),
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
