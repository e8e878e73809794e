/**
 * Shows a value the way Node's `util.inspect` does (depth 2, width 80, no colours), so that output looks the same in
 * every runtime. Runs in the guest: getters are not called, and a proxy's traps can only disturb their own program.
 */
export function makeInspect(): (value: unknown) => string {
  const mostDepth = 2;
  const mostEntries = 100;
  const mostText = 10_000;
  const breakLength = 80;
  const custom = Symbol.for('nodejs.util.inspect.custom');
  // The program's author has no use for the places in the sandbox that led to the program.
  const ownFrames = / {4}at [^\n]*\(prelude:\d+:\d+\)\n?/g;
  const identifier = /^[A-Za-z_$][\w$]*$/;

  type State = { seen: unknown[]; circular: Map<unknown, number>; indentation: number; currentDepth: number };

  function quoted(text: string): string {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
    return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
  }

  function classOf(value: object): string | null {
    for (let at: unknown = value; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
      const made = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
      if (typeof made === 'function' && made.name !== '') return String(made.name);
    }
    return null;
  }

  function shownFunction(value: { name?: unknown }): string {
    const source = Function.prototype.toString.call(value);
    if (/^class\b/.test(source)) return `[class ${value.name || '(anonymous)'}]`;
    const kind = /^async\s*(function\s*)?\*/.test(source)
      ? 'AsyncGeneratorFunction'
      : /^async\b/.test(source)
        ? 'AsyncFunction'
        : /^(function\s*)?\*/.test(source)
          ? 'GeneratorFunction'
          : 'Function';
    return value.name ? `[${kind}: ${String(value.name)}]` : `[${kind} (anonymous)]`;
  }

  function shownError(error: Error, state: State, level: number): string {
    const name = String(error.name ?? 'Error');
    const message = String(error.message ?? '');
    const stack = typeof error.stack === 'string' ? error.stack.replace(ownFrames, '').trimEnd() : '';
    const title = message === '' ? name : `${name}: ${message}`;
    let text = stack === '' ? (level === 0 ? title : `[${title}]`) : `${title}\n${stack}`;
    const extra: string[] = [];
    for (const key of Object.keys(error)) extra.push(property(error, key, state, level, false));
    if ('cause' in error && !Object.keys(error).includes('cause')) {
      extra.push(`[cause]: ${format(error.cause, state, level + 1)}`);
    }
    const inner: unknown = Reflect.get(error, 'errors');
    if (name === 'AggregateError' && Array.isArray(inner)) extra.push(`[errors]: ${format(inner, state, level + 1)}`);
    if (extra.length > 0) text += ` {\n  ${extra.join(',\n  ')}\n}`;
    return text.replaceAll('\n', `\n${' '.repeat(state.indentation)}`);
  }

  function property(owner: object, key: string | symbol, state: State, level: number, isElement: boolean): string {
    const descriptor = Object.getOwnPropertyDescriptor(owner, key) ?? { value: Reflect.get(owner, key) };
    let text: string;
    if ('value' in descriptor) {
      text = element(descriptor.value, state, level);
    } else {
      text = descriptor.get ? (descriptor.set ? '[Getter/Setter]' : '[Getter]') : '[Setter]';
    }
    if (isElement) return text;
    const name = typeof key === 'symbol' ? key.toString() : identifier.test(key) ? key : quoted(key);
    return `${name}: ${text}`;
  }

  /** Columns for long arrays of short entries; the numbers are those of Node's groupArrayElements. */
  function grouped(entries: string[], state: State, value: readonly unknown[] | null): string[] {
    const extra = value !== null && value.length > mostEntries ? 1 : 0;
    const count = entries.length - extra;
    const lengths = entries.slice(0, count).map((entry) => entry.length + 2);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const widest = Math.max(...lengths);
    if (widest * 3 + state.indentation >= breakLength) return entries;
    if (total / widest <= 5 && widest - 2 > 6) return entries;
    const biased = Math.max(widest - 3 - Math.sqrt(widest - total / entries.length), 1);
    const columns = Math.min(
      Math.round(Math.sqrt(2.5 * biased * count) / biased),
      Math.floor((breakLength - state.indentation) / widest),
      12,
    );
    if (columns <= 1) return entries;
    const widths: number[] = [];
    for (let column = 0; column < columns; column += 1) {
      let width = 0;
      for (let at = column; at < count; at += columns) width = Math.max(width, lengths[at] ?? 0);
      widths.push(width);
    }
    const numeric = value?.every((entry) => typeof entry === 'number' || typeof entry === 'bigint') ?? false;
    const lines: string[] = [];
    for (let start = 0; start < count; start += columns) {
      const end = Math.min(start + columns, count);
      let line = '';
      for (let at = start; at < end; at += 1) {
        const isLast = at === end - 1;
        const entry = isLast ? (entries[at] ?? '') : `${entries[at]}, `;
        const width = (widths[at - start] ?? 0) - (isLast ? 2 : 0);
        line += numeric ? entry.padStart(width) : isLast ? entry : entry.padEnd(width);
      }
      lines.push(line);
    }
    if (extra > 0) lines.push(entries[count] ?? '');
    return lines;
  }

  function joined(
    entries: string[],
    prefix: string,
    braces: readonly [string, string],
    state: State,
    level: number,
    list: readonly unknown[] | null,
  ): string {
    const base = prefix === '' ? '' : `${prefix} `;
    if (entries.length === 0) return `${base}${braces[0]}${braces[1]}`;
    const output = list !== null && entries.length > 6 ? grouped(entries, state, list) : entries;
    if (state.currentDepth - level < 3 && output === entries) {
      const start = output.length + state.indentation + braces[0].length + prefix.length + 10;
      const total = entries.reduce((sum, entry) => sum + entry.length, entries.length + start);
      const line = entries.join(', ');
      if (total <= breakLength && !line.includes('\n')) return `${base}${braces[0]} ${line} ${braces[1]}`;
    }
    const indentation = `\n${' '.repeat(state.indentation)}`;
    return `${base}${braces[0]}${indentation}  ${output.join(`,${indentation}  `)}${indentation}${braces[1]}`;
  }

  function element(value: unknown, state: State, level: number): string {
    state.indentation += 2;
    const text = format(value, state, level + 1);
    state.indentation -= 2;
    return text;
  }

  function more(count: number): string {
    return `... ${count} more item${count === 1 ? '' : 's'}`;
  }

  function elements(value: readonly unknown[], state: State, level: number): string[] {
    const entries: string[] = [];
    let index = 0;
    while (index < value.length && entries.length < mostEntries) {
      if (Object.hasOwn(value, index)) {
        entries.push(property(value, String(index), state, level, true));
        index += 1;
        continue;
      }
      const start = index;
      while (index < value.length && !Object.hasOwn(value, index)) {
        index += 1;
        if (index - start > 1_000_000) index = value.length;
      }
      entries.push(`<${index - start} empty item${index - start === 1 ? '' : 's'}>`);
    }
    if (index < value.length) entries.push(more(value.length - index));
    return entries;
  }

  function formatObject(value: object, state: State, level: number): string {
    const className = classOf(value);
    const isPlain = className === 'Object';
    const tagged = (name: string, size?: number) => {
      const shown = className === null ? `[${name}: null prototype]` : className;
      return size === undefined ? shown : `${shown}(${size})`;
    };
    let entries: string[] = [];
    let list: readonly unknown[] | null = null;
    let prefix = className === null ? '[Object: null prototype]' : isPlain ? '' : className;
    let braces: readonly [string, string] = ['{', '}'];
    let keys: (string | symbol)[] = Object.keys(value);
    let whole: string | undefined;

    if (Array.isArray(value)) {
      list = value;
      braces = ['[', ']'];
      prefix = className === 'Array' ? '' : tagged('Array', value.length);
      keys = keys.filter((key) => !/^\d+$/.test(String(key)));
    } else if (value instanceof Error) whole = shownError(value, state, level);
    else if (typeof value === 'function') whole = shownFunction(value);
    else if (value instanceof Date) whole = Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    else if (value instanceof RegExp) whole = RegExp.prototype.toString.call(value);
    else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      list = Array.from(Object.values(value).slice(0, mostEntries + 1));
      braces = ['[', ']'];
      prefix = tagged('TypedArray', value.byteLength / (Reflect.get(value, 'BYTES_PER_ELEMENT') ?? 1));
      keys = [];
    } else if (value instanceof Map) prefix = tagged('Map', value.size);
    else if (value instanceof Set) prefix = tagged('Set', value.size);
    else if (value instanceof ArrayBuffer) entries = [`byteLength: ${value.byteLength}`];
    else if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      const inner = value.valueOf();
      whole = `[${className}: ${typeof inner === 'string' ? quoted(inner) : String(inner)}]`;
    }
    if (typeof value === 'function' && whole !== undefined && keys.length > 0) {
      prefix = whole;
      whole = undefined;
    }
    if (whole !== undefined) return whole;
    if (level > mostDepth) {
      return Array.isArray(value) ? '[Array]' : `[${className ?? 'Object: null prototype'}]`;
    }

    state.seen.push(value);
    state.currentDepth = level;
    if (Array.isArray(value)) entries = elements(value, state, level);
    else if (list !== null) {
      entries = list.slice(0, mostEntries).map((entry) => element(entry, state, level));
      const length = Number(Reflect.get(value, 'length'));
      if (length > mostEntries) entries.push(more(length - mostEntries));
    } else if (value instanceof Map) {
      for (const [key, inner] of Map.prototype.entries.call(value)) {
        if (entries.length === mostEntries) {
          entries.push(more(value.size - mostEntries));
          break;
        }
        entries.push(`${element(key, state, level)} => ${element(inner, state, level)}`);
      }
    } else if (value instanceof Set) {
      for (const inner of Set.prototype.values.call(value)) {
        if (entries.length === mostEntries) {
          entries.push(more(value.size - mostEntries));
          break;
        }
        entries.push(element(inner, state, level));
      }
    }
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
    }
    for (const key of keys) entries.push(property(value, key, state, level, false));
    state.seen.pop();

    const shown = joined(entries, prefix, braces, state, level, list);
    const reference = state.circular.get(value);
    return reference === undefined ? shown : `<ref *${reference}> ${shown}`;
  }

  function format(value: unknown, state: State, level: number): string {
    switch (typeof value) {
      case 'string': {
        if (value.length <= mostText) return quoted(value);
        const rest = value.length - mostText;
        return `${quoted(value.slice(0, mostText))}... ${rest} more character${rest === 1 ? '' : 's'}`;
      }
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'bigint':
        return `${value}n`;
      case 'symbol':
        return value.toString();
      case 'undefined':
      case 'boolean':
        return String(value);
      case 'function':
      case 'object': {
        if (value === null) return 'null';
        if (state.seen.includes(value)) {
          const reference = state.circular.get(value) ?? state.circular.size + 1;
          state.circular.set(value, reference);
          return `[Circular *${reference}]`;
        }
        const shower = Reflect.get(value, custom);
        if (typeof shower === 'function') {
          const shown = Reflect.apply(shower, value, [mostDepth - level, {}, inspect]);
          if (typeof shown === 'string') return shown.replaceAll('\n', `\n${' '.repeat(state.indentation)}`);
          if (shown !== value) return format(shown, state, level);
        }
        return formatObject(value, state, level);
      }
      default:
        return String(value);
    }
  }

  function inspect(value: unknown): string {
    return format(value, { seen: [], circular: new Map(), indentation: 0, currentDepth: 0 }, 0);
  }
  return inspect;
}
