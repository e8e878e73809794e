import type { Principal } from '../../contract/states.ts';

const words = { desktop: 'in the app', cli: 'from the command line', broker: 'by the app itself' } as const;

/** The principal as a person reads it, to stand after a verb: "approved in the app", "denied by Telegram user 42". */
export function byWhom(principal: Principal): string {
  if (principal === 'desktop' || principal === 'cli' || principal === 'broker') return words[principal];
  return `by Telegram user ${principal.slice('telegram:'.length)}`;
}
