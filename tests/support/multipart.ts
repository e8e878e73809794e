/** One part of a multipart/form-data body. Plain fields have no `fileName`. */
export type Part = Readonly<{ name: string; fileName: string | null; bytes: Buffer }>;

/** Splits a complete multipart/form-data body (RFC 7578). Throws when the boundary is missing or a part has no name. */
export function parseMultipart(body: Buffer, contentType: string): readonly Part[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error('multipart body without boundary');
  const parts: Part[] = [];
  const mark = Buffer.from(`--${boundary}`);
  let start = body.indexOf(mark);
  while (start !== -1) {
    const end = body.indexOf(mark, start + mark.length);
    if (end === -1) break;
    parts.push(parsePart(body.subarray(start + mark.length, end)));
    start = end;
  }
  return parts;
}

function parsePart(chunk: Buffer): Part {
  const split = chunk.indexOf('\r\n\r\n');
  const head = chunk.subarray(0, split).toString('utf8');
  const disposition = /content-disposition:\s*form-data;(.*)/i.exec(head)?.[1] ?? '';
  const name = /name="([^"]*)"/i.exec(disposition)?.[1];
  if (name === undefined) throw new Error('multipart part without a name');
  const fileName = /filename="?([^";\r\n]+)"?/i.exec(disposition)?.[1] ?? null;
  return { name, fileName, bytes: chunk.subarray(split + 4, chunk.length - 2) };
}
