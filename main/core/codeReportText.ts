import type { CodeSightings } from './codeSightings.ts';

type Note = (sightings: CodeSightings, line: number, match: RegExpMatchArray) => void;
type Rule = readonly [pattern: RegExp, note: Note];

const seen = (match: RegExpMatchArray): string => match[0].trim().replace(/\s*\($/, '');
const dynamicCode: Note = (sightings, line, match) => sightings.addDynamicCode(line, seen(match));
const subprocess: Note = (sightings, line, match) => sightings.addSubprocess(line, seen(match));
const fileAccess: Note = (sightings, line, match) => sightings.addFileAccess(line, seen(match));
const envName: Note = (sightings, _line, match) => sightings.envNames.add(match[1] ?? '');
const envAll: Note = (sightings) => {
  sightings.envAccessAll = true;
};

// A search in text, line by line: it may see too much (comments, strings) and misses what is spelled differently.
const scriptRules: readonly Rule[] = [
  [/\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(|\.constructor\s*\(|\bWebAssembly\b/g, dynamicCode],
  [/\bDeno\s*\.\s*(?:Command|run|dlopen)\b|\b(?:Shared)?Worker\s*\(|\bBun\.spawn\w*/g, subprocess],
  [/\bDeno\s*\.\s*(?:read|write|open|create|remove|rename|mkdir|copyFile|symlink)\w*/g, fileAccess],
  [/\bDeno\.env\.(?:get|has)\s*\(\s*(['"`])(\w+)\1\s*\)/g, (s, _line, match) => s.envNames.add(match[2] ?? '')],
  [/\bprocess\.env\.(\w+)/g, envName],
  [/\bprocess\.env\[\s*['"`](\w+)['"`]\s*\]/g, envName],
  [/\bprocess\.env\b(?!\s*(?:\.\w|\[\s*['"`]\w+['"`]\s*\]))/g, envAll],
  [/\bDeno\.env\b(?!\.(?:get|has)\s*\(\s*['"`]\w+['"`]\s*\))/g, envAll],
  [
    /\b(?:import|export)\b[^'"`;()]{0,2000}['"]([^'"]{1,300})['"]/g,
    (s, line, m) => s.addImport(line, m[1] ?? '', 'static'),
  ],
  [
    /\b(?:import|require)\s*\(\s*(?:['"]([^'"]{1,300})['"]\s*\))?/g,
    (s, line, m) => s.addImport(line, m[1] ?? 'computed when it runs', m[1] === undefined ? 'computed' : 'dynamic'),
  ],
];

const pythonRules: readonly Rule[] = [
  [/\b(?:eval|exec|compile|__import__)\s*\(|\bbuiltins\b|\b__builtins__\b|\bgetattr\s*\(/g, dynamicCode],
  [/\bos\.(?:system|popen|exec\w*|spawn\w*|fork\w*|posix_spawn\w*)\b|\bcreate_subprocess_\w+/g, subprocess],
  [
    /(?<![\w.])open\s*\(|\bos\.(?:remove|unlink|rename|mkdir|makedirs|rmdir|listdir|walk|scandir)\b|\bPath\s*\(/g,
    fileAccess,
  ],
  [/\bos\.environ\s*\[\s*['"](\w+)['"]\s*\]/g, envName],
  [/\b(?:os\.environ\.get|os\.getenv|environ\.get|getenv)\s*\(\s*['"](\w+)['"]/g, envName],
  [/\bos\.environ\b(?!\s*\[\s*['"]\w+['"]\s*\])(?!\.get\s*\(\s*['"]\w+['"])/g, envAll],
  [/\bos\.getenv\s*\(\s*(?!['"]\w+['"])/g, envAll],
  [/^\s*from\s+os\s+import\s+.*\benviron\b/g, envAll],
  [/^\s*from\s+([\w.]+)\s+import\b/g, (s, line, m) => s.addImport(line, m[1] ?? '', 'static')],
  [
    /^\s*import\s+([\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*)/g,
    (sightings, line, match) => {
      for (const name of (match[1] ?? '').split(',')) {
        sightings.addImport(line, name.trim().split(/\s/)[0] ?? '', 'static');
      }
    },
  ],
  [
    /\bimport_module\s*\(\s*(?:['"]([\w.]+)['"])?/g,
    (s, line, m) => s.addImport(line, m[1] ?? 'computed when it runs', m[1] === undefined ? 'computed' : 'dynamic'),
  ],
];

// Long lines are searched in pieces, so that no pattern meets more text than it can take.
const pieceLength = 4096;

/** Notes what a search in the text finds. For Python, and for scripts that could not be parsed. */
export function readText(code: string, language: 'script' | 'python', sightings: CodeSightings): void {
  const rules = language === 'python' ? pythonRules : scriptRules;
  code.split(/\r\n|\n|\r/).forEach((text, index) => {
    const line = index + 1;
    for (let start = 0; start < text.length; start += pieceLength) {
      // Pieces overlap by a little, so that a name across the border is seen.
      const piece = text.slice(start, start + pieceLength + 200);
      for (const [pattern, note] of rules) {
        for (const match of piece.matchAll(pattern)) note(sightings, line, match);
      }
      noteStrings(piece, line, sightings);
    }
  });
}

const stringLiteral = /(["'`])((?:(?!\1)[^\\]|\\.){0,2000})\1/g;
const interpolation = /\$?\{[^}]{0,200}\}|%s/;

function noteStrings(piece: string, line: number, sightings: CodeSightings): void {
  for (const word of piece.matchAll(/\w{1,128}/g)) sightings.words.add(word[0]);
  sightings.addText(line, piece.replace(/(https?|wss?):\/\/(?=["'`{$%])/gi, ''));
  for (const match of piece.matchAll(stringLiteral)) {
    const text = match[2] ?? '';
    const hole = interpolation.exec(text);
    const fixed = hole === null ? text : text.slice(0, hole.index);
    const goesOn = hole !== null || /^\s*\+|^\s*%|^\s*\.format\b/.test(piece.slice(match.index + match[0].length));
    if (goesOn) sightings.addText(line, fixed, true);
    else if (!text.includes('://')) sightings.addText(line, text);
  }
}
