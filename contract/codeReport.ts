import { z } from 'zod';

const place = { line: z.int().min(1), what: z.string() };
const placeSchema = z.strictObject(place).readonly();
/** Something seen in the code, at a line counted from 1. `what` may quote the code: show it through display. */
export type CodePlace = z.infer<typeof placeSchema>;

/** What the code was seen to do. A reading aid: code can hide what it does, so a clean report proves nothing. */
export const codeReportSchema = z
  .strictObject({
    /** False when the code could not be parsed and the facts come from a search in its text. */
    parsed: z.boolean(),
    lines: z.int(),
    bytes: z.int(),
    /** Length of the longest line in characters. */
    longestLine: z.int(),
    hostsSeen: z.array(z.string()).readonly(),
    hostsUndeclared: z.array(z.string()).readonly(),
    secretsUsed: z.array(z.string()).readonly(),
    secretsUndeclared: z.array(z.string()).readonly(),
    secretsUnused: z.array(z.string()).readonly(),
    dynamicCode: z.array(placeSchema).readonly(),
    subprocesses: z.array(placeSchema).readonly(),
    imports: z
      .array(
        z
          .strictObject({
            line: z.int().min(1),
            specifier: z.string(),
            kind: z.enum(['static', 'dynamic', 'computed']),
          })
          .readonly(),
      )
      .readonly(),
    fileAccess: z.array(placeSchema).readonly(),
    /** The code reads the whole environment, or names in it that only show when it runs. */
    envAccessAll: z.boolean(),
    hiddenCharacters: z.int(),
    /** Stretches of many blank lines or spaces, which push code out of sight. */
    blankRuns: z.int(),
    findings: z.array(z.strictObject({ severity: z.enum(['info', 'warn']), text: z.string() }).readonly()).readonly(),
  })
  .readonly();
export type CodeReport = z.infer<typeof codeReportSchema>;
