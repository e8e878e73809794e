import type { Delivery } from '../../contract/states.ts';
import { whyPredictable } from './predictable.ts';

export type RuleVerdict = Readonly<{ ok: true }> | Readonly<{ ok: false; reason: string }>;

export const minSecretLength = 8;
export const maxSecretLength = 16_384;
/** As many as can be masked in all output without a noticeable wait. */
export const maxSecrets = 500;

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

// Names that a shell, a runtime, a TLS library or our own runner reads: a secret there would change how code runs.
const reservedNames: ReadonlySet<string> = new Set([
  '_',
  '__PROTO__',
  'ALL_PROXY',
  'BASH_ENV',
  'CDPATH',
  'CLASSPATH',
  'CONSTRUCTOR',
  'CURL_CA_BUNDLE',
  'DOCKER_HOST',
  'EDITOR',
  'ENV',
  'FORCE_COLOR',
  'FTP_PROXY',
  'GCONV_PATH',
  'HOME',
  'HOSTALIASES',
  'HOSTNAME',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'IFS',
  'LANG',
  'LANGUAGE',
  'LOCALDOMAIN',
  'LOGNAME',
  'MALLOC_CONF',
  'NO_COLOR',
  'NO_PROXY',
  'OLDPWD',
  'PATH',
  'PATHEXT',
  'PERL5LIB',
  'PERL5OPT',
  'PIP_CERT',
  'PROTOTYPE',
  'PWD',
  'REQUESTS_CA_BUNDLE',
  'RES_OPTIONS',
  'RUBYLIB',
  'RUBYOPT',
  'SHELL',
  'SHELLOPTS',
  'SHLVL',
  'SKILL_ARGS',
  'TEMP',
  'TERM',
  'TMP',
  'TMPDIR',
  'TZ',
  'USER',
  'V8_OPTIONS',
]);

const reservedPrefixes = [
  'BASH_FUNC_',
  'BUN_',
  'DENO_',
  'DYLD_',
  'ELECTRON_',
  'GIT_SSL_',
  'GLIBC_',
  'JAVA_',
  'JDK_',
  'LC_',
  'LD_',
  'MALLOC_',
  'NODE_',
  'NPM_CONFIG_',
  'OAUTH3_',
  'OPENSSL_',
  'PIP_',
  'PYTHON',
  'SSL_CERT_',
  'UV_',
];

/** Whether a secret may have this name, which is also its name in the environment of the code. */
export function checkSecretName(name: string): RuleVerdict {
  if (!namePattern.test(name)) {
    return refuse('Use letters, digits and underscores, not starting with a digit, at most 128 characters.');
  }
  const upper = name.toUpperCase();
  if (reservedNames.has(upper) || reservedPrefixes.some((prefix) => upper.startsWith(prefix))) {
    return refuse(`${name} steers the runtime or the system, so it cannot be the name of a secret.`);
  }
  return { ok: true };
}

/**
 * Whether a value can be kept and used in this way. Values that would not fit into a header are for `raw` only;
 * values that are short or predictable are refused, since masking them would mangle output and confirm guesses.
 */
export function checkSecretValue(value: string, delivery: Delivery = 'placeholder'): RuleVerdict {
  if (value.length < minSecretLength) return refuse(`The value is shorter than ${minSecretLength} characters.`);
  if (value.length > maxSecretLength) return refuse(`The value is longer than ${maxSecretLength} characters.`);
  if (/\p{Surrogate}/u.test(value)) return refuse('The value is not valid text.');
  if (value.trim() !== value.replace(/\r?\n$/, '')) {
    return refuse('The value starts or ends with a space or a line break; it was probably copied wrongly.');
  }
  // One line break at the end belongs to PEM files and nothing else.
  if (value.trim() !== value && delivery === 'placeholder') {
    return refuse('The value ends with a line break; it was probably copied wrongly.');
  }
  const predictable = whyPredictable(value);
  if (predictable !== null) return refuse(predictable);
  // Text that repeats the same part would be compared with the value at each of its places.
  if (/^(.{1,64}?)\1{2,}$/s.test(value)) return refuse('The value only repeats a part of itself; it is no secret.');
  if (delivery === 'placeholder') {
    if (/[\r\n]/.test(value)) {
      return refuse('A value of several lines does not fit into a request header; store it with raw delivery.');
    }
    if (!/^[\x20-\x7e\xa0-\xff]*$/.test(value)) {
      return refuse('The value holds characters that do not fit into a request header; store it with raw delivery.');
    }
  } else if (/[^\P{Cc}\r\n\t]/u.test(value)) {
    return refuse('The value holds control characters.');
  }
  return { ok: true };
}

const refuse = (reason: string): RuleVerdict => ({ ok: false, reason });
