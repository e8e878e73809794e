export type Stripped = Readonly<{ ok: true; code: string } | { ok: false; message: string | null }>;

/**
 * TypeScript types out of the code; lines and columns stay. The parser (amaro, a WebAssembly module of some megabytes)
 * is loaded only when the code does not parse as JavaScript. A null message means that it knows no more than we do.
 */
export async function stripTypes(code: string): Promise<Stripped> {
  try {
    const { transformSync } = await import('amaro');
    return { ok: true, code: transformSync(code, { mode: 'strip-only' }).code };
  } catch (error) {
    return { ok: false, message: shown(error) };
  }
}

function shown(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { message, startLine, startColumn, snippet }: Record<string, unknown> = { ...error };
  if (typeof message !== 'string' || typeof startLine !== 'number' || typeof startColumn !== 'number') return null;
  const where = `\n    at skill.ts:${startLine}:${startColumn + 1}`;
  return `SyntaxError: ${message}${where}${typeof snippet === 'string' ? `\n${snippet.trimEnd()}` : ''}`;
}
