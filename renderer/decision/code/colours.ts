import { createJavaScriptRegexEngine } from '@shikijs/engine-javascript';
import javascript from '@shikijs/langs/javascript';
import python from '@shikijs/langs/python';
import typescript from '@shikijs/langs/typescript';
import {
  codeToTokensBase,
  createShikiPrimitive,
  getLastGrammarStateFromMap,
  type ThemeRegistration,
} from '@shikijs/primitive';
import type { Colour, ColouredLine } from './colourNames.ts';

// Longer lines are made by machines; the grammars take very long for them.
const maxLineLength = 1_000;
/** Lines that are coloured in one go; each batch is told at once. */
const batchLines = 250;
/** For one line; the first compiles the grammar as well. The whole has a limit of its own, of the one who waits. */
const lineTimeMs = 2_000;

/** Which parts of a grammar get which of our colours; what is not named stays as it is. */
const scopes: Readonly<Record<Colour, readonly string[]>> = {
  comment: ['comment', 'punctuation.definition.comment'],
  string: ['string', 'punctuation.definition.string', 'string.template'],
  code: ['meta.template.expression', 'meta.embedded'],
  keyword: ['keyword', 'storage', 'constant.language', 'variable.language'],
  numeral: ['constant.numeric', 'constant.character.escape', 'string.regexp'],
  name: ['entity.name.function', 'support.function', 'meta.function-call.generic'],
  type: ['entity.name.type', 'entity.name.class', 'support.type', 'support.class', 'entity.other.inherited-class'],
};

// A theme can only say colours: each stands for one of our names. `code` inside a template text is plain again.
const names = Object.keys(scopes).filter((name): name is Colour => name in scopes);
const codeOf = (index: number): string => `#0000${(index + 1).toString(16).padStart(2, '0')}`;
const nameOf = new Map(names.map((name, index) => [codeOf(index), name]));
const theme: ThemeRegistration = {
  name: 'oauth3',
  type: 'light',
  settings: [
    { settings: { foreground: '#ffffff', background: '#ffffff' } },
    ...names.map((name, index) => ({ scope: [...scopes[name]], settings: { foreground: codeOf(index) } })),
  ],
};

const languages = { typescript, javascript, python } as const;
const isLanguage = (name: string): name is keyof typeof languages => Object.hasOwn(languages, name);

/**
 * Colours of lines of code (`lineText`), batch after batch in order; none for a language that is not known. It says where
 * colours are and never what the text is. Synchronous and slow (some 10,000 lines a second): for a worker.
 */
export function* coloursOf(lines: readonly string[], language: string): Generator<readonly ColouredLine[]> {
  if (!isLanguage(language)) return;
  const primitive = createShikiPrimitive({
    themes: [theme],
    langs: languages[language],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  let state: ReturnType<typeof getLastGrammarStateFromMap>;
  for (let index = 0; index < lines.length; index += batchLines) {
    const batch = lines.slice(index, index + batchLines);
    const tokens = codeToTokensBase(primitive, batch.join('\n'), {
      lang: language,
      theme: 'oauth3',
      tokenizeMaxLineLength: maxLineLength,
      tokenizeTimeLimit: lineTimeMs,
      ...(state === undefined ? {} : { grammarState: state }),
    });
    state = getLastGrammarStateFromMap(tokens);
    // A line that ends in another way than we think would move all colours below it: then there are none.
    if (tokens.length !== batch.length) return;
    yield tokens.map((line): ColouredLine => {
      let at = 0;
      return line.flatMap(({ content, color }) => {
        const from = at;
        at += content.length;
        const name = nameOf.get((color ?? '').toLowerCase());
        return name === undefined || name === 'code' ? [] : [{ from, to: at, look: name }];
      });
    });
  }
}
