/** Prints the demo as a person wants to read it. */
const width = 96;

export function chapter(number: number, title: string): void {
  process.stdout.write(`\n── ${number}. ${title} ${'─'.repeat(Math.max(2, width - title.length - 7))}\n`);
}

export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Text of somebody else (a card, an answer), set apart from our own words. */
export function quote(text: string): void {
  for (const line of text.trimEnd().split('\n')) process.stdout.write(`   │ ${line}\n`);
}

/** A promise of the product, checked: the demo fails as a whole when one does not hold. */
export function check(claim: string, holds: boolean): void {
  process.stdout.write(`   ${holds ? '✔' : '✘'} ${claim}\n`);
  if (!holds) process.exitCode = 1;
}
