import type { GuestKit } from './kit.ts';

/** `console` with Node's format strings: log, info and debug to stdout, the rest to stderr. */
export function installConsole(kit: GuestKit, inspect: (value: unknown) => string): void {
  const counts: Record<string, number> = Object.create(null);
  const started: Record<string, number> = Object.create(null);
  let indentation = '';
  kit.inspect = inspect;

  function filled(letter: string, value: unknown): string {
    switch (letter) {
      case 's':
        return typeof value === 'object' && value !== null
          ? inspect(value)
          : typeof value === 'bigint'
            ? `${value}n`
            : String(value);
      case 'd':
        return typeof value === 'bigint' ? `${value}n` : String(typeof value === 'symbol' ? Number.NaN : Number(value));
      case 'i':
        return String(Number.parseInt(String(value), 10));
      case 'f':
        return String(Number.parseFloat(String(value)));
      case 'j':
        try {
          return String(JSON.stringify(value));
        } catch {
          return '[Circular]';
        }
      case 'c':
        return '';
      default:
        return inspect(value);
    }
  }

  function formatted(values: readonly unknown[]): string {
    const rest = [...values];
    let text = '';
    if (typeof rest[0] === 'string' && rest.length > 1) {
      text = String(rest.shift()).replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === '%%') return '%';
        return rest.length === 0 ? mark : filled(mark[1] ?? '', rest.shift());
      });
      if (rest.length > 0) text += ' ';
    }
    return text + rest.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
  }

  function line(fd: 1 | 2, values: readonly unknown[]): void {
    const text = formatted(values);
    kit.print(fd, `${indentation}${indentation === '' ? text : text.replaceAll('\n', `\n${indentation}`)}\n`);
  }

  const out = (...values: unknown[]) => line(1, values);
  const err = (...values: unknown[]) => line(2, values);
  const elapsed = (label: string) => `${label}: ${Date.now() - (started[label] ?? Date.now())}ms`;

  kit.define('console', {
    log: out,
    info: out,
    debug: out,
    warn: err,
    error: err,
    dir: (value: unknown) => line(1, [inspect(value)]),
    table: out,
    trace: (...values: unknown[]) => line(2, [`Trace: ${formatted(values)}\n${new Error().stack ?? ''}`.trimEnd()]),
    assert(condition: unknown, ...values: unknown[]) {
      if (!condition) line(2, [values.length === 0 ? 'Assertion failed' : `Assertion failed: ${formatted(values)}`]);
    },
    group(...values: unknown[]) {
      if (values.length > 0) out(...values);
      indentation += '  ';
    },
    groupEnd() {
      indentation = indentation.slice(2);
    },
    count(label: unknown = 'default') {
      const name = String(label);
      counts[name] = (counts[name] ?? 0) + 1;
      out(`${name}: ${counts[name]}`);
    },
    time(label: unknown = 'default') {
      started[String(label)] = Date.now();
    },
    timeLog: (label: unknown = 'default') => out(elapsed(String(label))),
    timeEnd(label: unknown = 'default') {
      out(elapsed(String(label)));
      delete started[String(label)];
    },
  });
}
