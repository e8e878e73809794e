/** All pieces of a text that comes bit by bit. */
export async function allText(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}
