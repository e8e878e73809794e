import { createHash } from 'node:crypto';
import type { Card, CardCode, CardFact, CardOutcome } from '../../contract/card.ts';
import { segmentText } from '../core/segmentText.ts';
import { minuteText } from '../core/times.ts';
import { type Message, RichText } from './richText.ts';

/** INTERFACES 4: longer code goes into a file. */
export const MAX_INLINE_CODE = 3000;
const MAX_MESSAGE = 4096;
/** Facts beyond this go into the file as a whole; the message then holds the most important ones. */
const MAX_FACTS = 3600;

export type CardFile = Readonly<{ name: string; text: string; caption: string }>;

/** How a card looks in a chat. A `file` has to be in the chat before the message with its buttons. */
export type CardMessage = Readonly<{ message: Message; file: CardFile | null }>;

const toneMark: Readonly<Record<CardFact['tone'], string>> = { plain: '', notice: '🟡 ', danger: '🔴 ' };
const changeMark: Readonly<Record<Card['changes'][number]['severity'], string>> = {
  danger: '🔴 ',
  warn: '🟡 ',
  info: '',
};
const outcomeMark: Readonly<Record<CardOutcome['kind'], string>> = {
  approved: '✅',
  denied: '❌',
  expired: '⌛',
  cancelled: '↩',
  withdrawn: '↩',
};

export function cardMessage(card: Card): CardMessage {
  const facts = factsText(card, Number.POSITIVE_INFINITY);
  if (facts.length > MAX_FACTS) {
    const file = wholeFile(card, facts.message().text);
    const short = factsText(card, MAX_FACTS - 400);
    short.add('\n\n⚠️ This is not all. The rest is in the file above: read it before you answer.', 'bold');
    return { message: short.message(), file };
  }
  if (card.code === undefined) return { message: facts.message(), file: null };
  const code = codeText(card.code);
  if (code.length <= MAX_INLINE_CODE) {
    const whole = addCodeHead(factsText(card, Number.POSITIVE_INFINITY), card.code)
      .add('\n')
      .addPre(code, card.code.language);
    if (whole.length <= MAX_MESSAGE) return { message: whole.message(), file: null };
  }
  const message = addCodeHead(facts, card.code).add('\nThe code is in the file above.').message();
  return { message, file: codeFile(card.code) };
}

/** The code of a card as a file, with the hash that binds it to the card. */
export function codeFile(code: CardCode): CardFile {
  const text = codeText(code);
  return { name: `code-${code.sha256.slice(0, 12)}.txt`, text, caption: fileCaption('Code', code, text) };
}

/** What a card turns into once it has ended; no code, no buttons. */
export function outcomeMessage(outcome: CardOutcome, card: Card | null): Message {
  const rich = new RichText().add(`${outcomeMark[outcome.kind]} `).addOutside(outcome.text, 'bold');
  if (card !== null) rich.add('\n\n').addOutside(segmentText(card.sentence));
  if (card?.code !== undefined) rich.add('\nCode SHA-256: ').add(card.code.sha256, 'code');
  return rich.message();
}

function codeText(code: CardCode): string {
  return code.lines.map(segmentText).join('\n');
}

/** Everything but the code; stops before `maxLength`. What steers the decision comes first. */
function factsText(card: Card, maxLength: number): RichText {
  const rich = new RichText().addOutside(segmentText(card.sentence), 'bold').add('\n');
  for (const piece of pieces(card)) {
    const length = piece.label.length + piece.text.length + 2;
    if (rich.length + length > maxLength) continue;
    rich.add('\n').add(piece.label, 'bold').add(' ').addOutside(piece.text);
  }
  rich.add(`\n\nExpires ${minuteText(card.expiresAtMs)}`, 'italic');
  return rich;
}

type Piece = Readonly<{ label: string; text: string }>;

function pieces(card: Card): readonly Piece[] {
  const weight: Readonly<Record<CardFact['tone'], number>> = { danger: 0, notice: 1, plain: 2 };
  const facts = card.facts
    .toSorted((a, b) => weight[a.tone] - weight[b.tone])
    .map((fact) => ({ label: `${toneMark[fact.tone]}${fact.label}:`, text: segmentText(fact.value) }));
  return [
    ...card.missingSecrets.map((name) => ({
      label: '🔑 Missing:',
      text: `${name}. Add it before this can be approved.`,
    })),
    ...card.unboundSecrets.map(({ name, hosts }) => ({
      label: '🔗 Not bound:',
      text: `put ${name} into requests to ${hosts.join(', ')}?`,
    })),
    ...card.changes.map(({ severity, text }) => ({ label: `${changeMark[severity]}New:`, text: segmentText(text) })),
    ...facts,
    ...card.findings.map((finding) => ({
      label: finding.severity === 'warn' ? '⚠️ Code:' : 'Code:',
      text: segmentText(finding.text),
    })),
    ...card.quotes.map((quote) => ({ label: `${quote.label}:`, text: quoted(segmentText(quote.text)) })),
  ];
}

/** Every further line begins with a bar of ours: words of the agent must not look like a fact or like the code. */
function quoted(text: string): string {
  return `“${text.replaceAll('\n', '\n┃ ')}”`;
}

function addCodeHead(rich: RichText, code: CardCode): RichText {
  const lines = code.lines.length === 1 ? '1 line' : `${code.lines.length} lines`;
  return rich
    .add('\n\n')
    .add(`Code (${code.language}, ${lines}, ${code.bytes} bytes)`, 'bold')
    .add('\nSHA-256: ')
    .add(code.sha256, 'code');
}

function wholeFile(card: Card, facts: string): CardFile {
  if (card.code === undefined) return { name: 'request.txt', text: facts, caption: 'All facts of the request.' };
  const text = `${facts}\n\n--- code, SHA-256 ${card.code.sha256} ---\n${codeText(card.code)}`;
  const name = `request-${card.code.sha256.slice(0, 12)}.txt`;
  return { name, text, caption: `All facts and the code. SHA-256 of the code: ${card.code.sha256}` };
}

function fileCaption(what: string, code: CardCode, text: string): string {
  const head = `${what}: ${code.lines.length} lines, ${code.bytes} bytes.`;
  if (createHash('sha256').update(text).digest('hex') === code.sha256) {
    return `${head} SHA-256 of this file and of what would run: ${code.sha256}`;
  }
  // Marks and line ends make the file differ from the bytes, which is the point of a file that can be read safely.
  return `${head} SHA-256 of what would run: ${code.sha256}. Characters that would not be seen are written as ⟦U+…⟧ here.`;
}
