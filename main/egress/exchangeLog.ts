import type { Clock } from '../core/clock.ts';
import type { ExchangeRecord } from '../core/egressSpec.ts';
import { PLACEHOLDER_PATTERN } from '../core/placeholder.ts';
import type { Redactor } from '../core/redaction.ts';
import type { CanonicalUrl } from '../net/url.ts';
import type { PlaceholderSet } from './placeholderSet.ts';
import type { RefusalCode } from './refusal.ts';

const mask = '[placeholder]';
const maxPathLength = 512;
const plainMethod = /^[A-Z]{1,16}$/;

/** Gathers what is recorded about one exchange; `finish` makes the record. Nothing in it can hold a secret. */
export class ExchangeLog {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #at: number;
  readonly #method: string;
  #host = '';
  #port = 0;
  #path = '';
  status = 0;
  bytesIn = 0;
  bytesOut = 0;
  secrets: readonly string[] = [];
  placeholderInBody = false;
  /** The first reason counts: what follows is its echo. */
  refused: RefusalCode | null = null;

  constructor(method: string, clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonicMs();
    this.#at = clock.wallMs();
    this.#method = plainMethod.test(method) ? method : '?';
  }

  get host(): string {
    return this.#host;
  }

  /** Takes the target over, without its query, and without secrets and placeholders. */
  setTarget(url: CanonicalUrl, placeholders: PlaceholderSet, redactor: Redactor): void {
    const clean = (text: string): string => {
      const shown = redactor.text(text).replace(PLACEHOLDER_PATTERN, mask);
      return placeholders.hiddenIn(shown).length > 0 ? mask : shown;
    };
    this.#host = clean(url.host);
    this.#port = url.port;
    this.#path = clean(url.path).slice(0, maxPathLength);
  }

  refuse(code: RefusalCode): void {
    this.refused ??= code;
  }

  finish(): ExchangeRecord {
    return {
      at: this.#at,
      method: this.#method,
      host: this.#host,
      port: this.#port,
      path: this.#path,
      status: this.status,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      durationMs: Math.max(0, Math.round(this.#clock.monotonicMs() - this.#startedAt)),
      secrets: this.secrets,
      refused: this.refused,
      placeholderInBody: this.placeholderInBody,
    };
  }
}
