import { type Found, type Glyph, glyphsOf, type Token, tokensOf } from './glyphs.ts';

const common = new Set(
  (
    'AF,AL,AN,AND,AV,DA,DAS,DE,DEL,DELLA,DEM,DEN,DER,DI,DO,DOS,DU,E,EL,ET,IBN,LA,LAS,LE,LES,LOS,OCH,OF,OP,TEN,TER,' +
    'THE,UND,VAN,VOM,VON,Y,ZU,ZUM,ZUR'
  ).split(','),
);
const between = new Set(" .,-_'’‘`´");
const stroked = new Map([
  ['Ø', 'O'],
  ['Ł', 'L'],
  ['Đ', 'D'],
  ['Ð', 'D'],
  ['Ħ', 'H'],
  ['Æ', 'AE'],
  ['Œ', 'OE'],
  ['Þ', 'TH'],
]);

/** Tries every name at every word. */
export function findNames(tokens: readonly Token[], names: readonly string[]): Found[] {
  const searched = names.flatMap((name) => searchedOf(name));
  const words = tokens.flatMap(({ sort, text }, i) =>
    sort === 'letter' ? [{ i, text: likened(text) }] : [],
  );
  return searched.flatMap((name) =>
    words.flatMap(({ i }, w) => {
      for (const [k, part] of name.entries()) {
        const here = words[w + k];
        if (here?.text !== part) return [];
        const gap = k === 0 ? [] : tokens.slice(words[w + k - 1]!.i + 1, here.i);
        if (k > 0 && (gap.length < 1 || gap.length > 3)) return [];
        if (!gap.every(({ text }) => between.has(text))) return [];
      }
      return [{ from: tokens[i]!.from, to: tokens[words[w + name.length - 1]!.i]!.to }];
    }),
  );
}

/** What is searched for a name, each as words in a row. */
function searchedOf(name: string): string[][] {
  const glyphs = glyphsOf(name);
  const whole = wordsOf(glyphs);
  const parts: Glyph[][] = [[]];
  for (const glyph of glyphs) {
    if (/\s/.test(glyph.char)) parts.push([]);
    else parts.at(-1)!.push(glyph);
  }
  const rows = [whole, ...parts.map(wordsOf).filter((row) => row.length > 1)];
  const singles = whole.filter((word) => !common.has(word)).map((word) => [word]);
  return [
    ...rows.filter((row) => row.length > 0 && row.length < 17 && hasTwo(row.join(''))),
    ...singles.filter(([word]) => hasTwo(word!)),
  ];
}

function wordsOf(glyphs: readonly Glyph[]): string[] {
  return tokensOf(glyphs).flatMap(({ sort, text }) => (sort === 'letter' ? [likened(text)] : []));
}

function hasTwo(text: string): boolean {
  return Array.from(text).length > 1;
}

/** A word as it is compared, letter by letter. */
function likened(word: string): string {
  let result = '';
  for (const point of word) {
    for (const upper of point.normalize('NFD').toUpperCase().normalize('NFD')) {
      if (!/\p{Mark}/u.test(upper)) result += stroked.get(upper) ?? upper;
    }
  }
  return result;
}
