import { domainToUnicode } from 'node:url';
import { registrableDomain } from './host.ts';

/** Letters of other scripts that are drawn like these; the rest of Unicode never stands in a host without being odd. */
const drawnLike: Readonly<Record<string, string>> = {
  а: 'a',
  ɑ: 'a',
  α: 'a',
  ь: 'b',
  с: 'c',
  ϲ: 'c',
  ԁ: 'd',
  ɗ: 'd',
  е: 'e',
  ё: 'e',
  ε: 'e',
  ƒ: 'f',
  ɡ: 'g',
  һ: 'h',
  і: 'l',
  ı: 'l',
  ι: 'l',
  ј: 'j',
  к: 'k',
  κ: 'k',
  ӏ: 'l',
  ⅼ: 'l',
  м: 'm',
  ո: 'n',
  п: 'n',
  η: 'n',
  о: 'o',
  ο: 'o',
  օ: 'o',
  σ: 'o',
  р: 'p',
  ρ: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  τ: 't',
  υ: 'u',
  ս: 'u',
  ѵ: 'v',
  ν: 'v',
  ԝ: 'w',
  ω: 'w',
  х: 'x',
  χ: 'x',
  у: 'y',
  γ: 'y',
  ᴢ: 'z',
  0: 'o',
  1: 'l',
  i: 'l',
  5: 's',
  3: 'e',
  4: 'a',
  8: 'b',
};

/** What is left of a name when everything that is drawn alike is one. */
function skeleton(name: string): string {
  const letters = [
    ...name
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .toLowerCase(),
  ].map((letter) => drawnLike[letter] ?? letter);
  return letters.join('').replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('cl', 'd').replaceAll('-', '');
}

/** `openai` of `api.openai.com`; empty for an address or a name without a public suffix. */
function brandOf(host: string): string {
  const domain = registrableDomain(host);
  return domain === null ? '' : domain.slice(0, domain.indexOf('.'));
}

const shortestBrand = 5;

/** One letter more, less or another, or two neighbours swapped. */
function isOneOff(left: string, right: string): boolean {
  if (left === right || Math.abs(left.length - right.length) > 1) return false;
  let start = 0;
  while (start < left.length && left[start] === right[start]) start += 1;
  const [a, b] = [left.slice(start), right.slice(start)];
  const swapped = a.length === b.length && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return swapped || a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1);
}

/**
 * The known host that this one could be taken for, though it belongs to somebody else; null when there is none.
 * `trusted`: hosts that the owner has to do with; `famous`: hosts of well-known services, which have to be met more closely.
 */
export function lookAlike(
  host: string,
  { trusted, famous }: Readonly<{ trusted: readonly string[]; famous: readonly string[] }>,
): string | null {
  const plain = host.replace(/^\*\./, '');
  const domain = registrableDomain(plain);
  if (domain === null) return null;
  const shown = domainToUnicode(plain) || plain;
  const brand = skeleton(brandOf(shown) || shown);
  const parts = shown.split(/[.-]/).map(skeleton);
  const isAlike = (known: string, closely: boolean): boolean => {
    const knownBrand = brandOf(known);
    if (knownBrand.length < shortestBrand || registrableDomain(known) === domain) return false;
    const other = skeleton(knownBrand);
    return brand === other || parts.includes(other) || (!closely && isOneOff(brand, other));
  };
  return trusted.find((known) => isAlike(known, false)) ?? famous.find((known) => isAlike(known, true)) ?? null;
}
