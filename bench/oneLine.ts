import { type RuntimeRow, runtimeTable } from '../main/backends/docker/runtimeTable.ts';

/** A runtime with one line of code in its language, and what that prints. */
export type OneLine = Readonly<{ row: RuntimeRow; code: string; prints: string }>;

const lines: Readonly<Partial<Record<RuntimeRow['runtime'], string>>> = {
  deno: 'console.log("to be", 6 * 7);\n',
  node: 'console.log("to be", 6 * 7);\n',
  python: 'print("to be", 6 * 7)\n',
};

export const oneLines: readonly OneLine[] = runtimeTable.flatMap((row) => {
  const code = lines[row.runtime];
  return code === undefined ? [] : [{ row, code, prints: 'to be 42' }];
});

/** The command of a runtime with the code on stdin instead of in a file: nothing but `docker run` could put one there. */
export const stdinCommand = ({ command, codeFile }: RuntimeRow): readonly string[] =>
  command.map((part) => (part === codeFile ? '-' : part));
