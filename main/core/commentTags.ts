import { commaList } from './commaList.ts';

/** What code says about itself in its comments, unchecked: it only fills what the request leaves out. */
export type CommentTags = Readonly<{
  skill?: string;
  description?: string;
  secrets?: readonly string[];
  network?: readonly string[];
  /** Seconds; NaN when the text is no plain number, so that validation refuses it. */
  timeout?: number;
  runtime?: string;
}>;

const scannedLines = 100;
const tagLine = /^[ \t]*(?:\/\/+|#+|\/?\*+)[ \t]*@(skill|description|secrets|network|timeout|runtime)(?:[ \t:]+(.*))?$/;

/** Reads `@tag value` from `//`, `#` and `*` comment lines among the first 100 lines. The first of each tag wins. */
export function readCommentTags(code: string): CommentTags {
  const found = new Map<string, string>();
  // The limit keeps a file of a million line breaks from becoming a million strings.
  for (const line of code.split(/\r\n|\n|\r/, scannedLines)) {
    const match = tagLine.exec(line);
    const tag = match?.[1];
    if (tag === undefined || found.has(tag)) continue;
    found.set(tag, (match?.[2] ?? '').replace(/\*\/[ \t]*$/, '').trim());
  }
  const [skill, description, runtime] = [found.get('skill'), found.get('description'), found.get('runtime')];
  const [secrets, network, timeout] = [found.get('secrets'), found.get('network'), found.get('timeout')];
  return {
    ...(skill !== undefined && { skill }),
    ...(description !== undefined && { description }),
    ...(secrets !== undefined && { secrets: commaList(secrets) }),
    ...(network !== undefined && { network: commaList(network) }),
    ...(timeout !== undefined && { timeout: /^\d{1,6}(?:\.\d{1,3})?$/.test(timeout) ? Number(timeout) : Number.NaN }),
    ...(runtime !== undefined && { runtime }),
  };
}
