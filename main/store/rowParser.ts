import { z } from 'zod';
import type { Principal } from '../../contract/states.ts';

// The pieces that the row schemas are made of. Every row that is read passes such a schema and comes out typed.

export const text = z.string();
export const int = z.number().int();
export const maybeText = text.nullable();
export const maybeInt = int.nullable();
export const flag = z.literal([0, 1]).transform((value) => value === 1);
export const bytes = z.instanceof(Uint8Array);

export const json = <Value>(schema: z.ZodType<Value>) => text.transform((value) => schema.parse(JSON.parse(value)));
export const textList = json(z.array(text));

export const principalSchema: z.ZodType<Principal> = z.union([
  z.enum(['desktop', 'cli', 'broker']),
  z.templateLiteral(['telegram:', z.number()]),
]);

/** A parser for one kind of row. */
export type Row<Value> = (row: unknown) => Value;
export const row =
  <Value>(schema: z.ZodType<Value>): Row<Value> =>
  (value) =>
    schema.parse(value);

/** The row as a record, or null when there was none. */
export function maybe<Value>(parse: Row<Value>, value: unknown): Value | null {
  return value === undefined ? null : parse(value);
}

/** A row of one column that is named `value`. */
export const single = <Value>(schema: z.ZodType<Value>): Row<Value> =>
  row(z.object({ value: schema }).transform(({ value }) => value));
export const intValue = single(int);
export const maybeIntValue = single(maybeInt);
export const textValue = single(text);
export const bytesValue = single(bytes);
export const jsonValue: Row<unknown> = single(json(z.unknown()));
