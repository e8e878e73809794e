import type { Card } from '../../contract/card.ts';
import { segmentText } from '../core/segmentText.ts';

const MAX_SENTENCE = 160;
const MAX_FACT = 120;
const MAX_FACTS = 4;
const MAX_CHANGES = 2;

/** `complete`: what matters for the decision is all there, nothing was cut. */
export type NotificationText = Readonly<{ title: string; body: string; complete: boolean }>;

/** Facts only, each on one line, short: nothing that an agent wrote, no code (ATTACKS 221). */
export function notificationText(card: Card): NotificationText {
  // What weighs most comes first; what was only narrowed needs no line of the few.
  const changes = card.changes.filter(({ severity }) => severity !== 'info');
  const important = card.facts.filter((fact) => isImportant(fact));
  const lines = [
    cutLine(segmentText(card.sentence), MAX_SENTENCE),
    ...card.missingSecrets.map((name) => cutLine(`Missing secret: ${name}`, MAX_FACT)),
    ...changes.slice(0, MAX_CHANGES).map(({ text }) => cutLine(`New: ${segmentText(text)}`, MAX_FACT)),
    ...important.slice(0, MAX_FACTS).map((fact) => cutLine(`${fact.label}: ${segmentText(fact.value)}`, MAX_FACT)),
  ];
  return {
    title: card.subject === 'run' ? 'OAuth3: approve a run?' : 'OAuth3: your decision is needed',
    body: lines.map((line) => line.text).join('\n'),
    complete: changes.length <= MAX_CHANGES && important.length <= MAX_FACTS && lines.every((line) => !line.cut),
  };
}

/** Which secrets go where, to which hosts, and what is odd about those. */
function isImportant({ key, tone }: Card['facts'][number]): boolean {
  return /^(?:secrets?|network)(?:[:_]|$)/.test(key) || tone === 'danger';
}

/** One line for a notification that asks nothing. */
export function noticeText(text: string): string {
  return cutLine(text, 2 * MAX_SENTENCE).text;
}

function cutLine(text: string, maxChars: number): Readonly<{ text: string; cut: boolean }> {
  const flat = text.replace(/\s+/g, ' ').trim();
  const characters = [...flat];
  if (characters.length <= maxChars) return { text: flat, cut: false };
  return { text: `${characters.slice(0, maxChars - 1).join('')}…`, cut: true };
}
