import { z } from 'zod';

/**
 * A piece of hostile text made safe to show. `text` holds only characters that a person sees as they are; `mark` stands
 * for something that would not be seen (`U+202E`, `500 blank lines`) and is drawn apart from text, `title` says why.
 */
export const segmentSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string() }).readonly(),
  z.strictObject({ kind: z.literal('mark'), text: z.string(), title: z.string() }).readonly(),
]);
export type Segment = z.infer<typeof segmentSchema>;
