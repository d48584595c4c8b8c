import { findCards, findIbans } from './redact/accounts.ts';
import { findAddresses, findEmails } from './redact/addresses.ts';
import { type Found, type Glyph, glyphsOf, type RedactKind, type Token, tokensOf } from './redact/glyphs.ts';
import { findIdentities } from './redact/identities.ts';
import { findNames } from './redact/names.ts';
import { findPhones } from './redact/phones.ts';

/** The first of these that has a part in what is replaced gives its label. */
const labels: readonly RedactKind[] = ['email', 'iban', 'card', 'national-id', 'ip', 'phone', 'name'];

/**
 * What redaction must make of a text (docs/redaction.md): read glyph by glyph where the engine uses regular expressions.
 * Takes time that grows with names times words.
 */
export function redactedText(text: string, kinds: ReadonlySet<RedactKind>, names: readonly string[]): string {
  const glyphs = glyphsOf(text);
  const tokens = tokensOf(glyphs);
  /** For every glyph the rank of its label, and whether it goes together with the glyph before it. */
  const rank = glyphs.map(() => labels.length);
  const joined = glyphs.map(() => false);
  for (const [label, kind] of labels.entries()) {
    if (!kinds.has(kind)) continue;
    for (const { from, to } of find(kind, glyphs, tokens, names)) {
      for (let i = from; i < to; i++) {
        rank[i] = Math.min(rank[i]!, label);
        if (i > from) joined[i] = true;
      }
    }
  }
  let result = '';
  let kept = 0;
  for (let from = 0; from < glyphs.length; from++) {
    if (rank[from] === labels.length) continue;
    let to = from + 1;
    while (joined[to]) to++;
    const label = Math.min(...[Infinity].concat(rank.slice(from, to)));
    result += `${text.slice(kept, glyphs[from]!.start)}[${labels[label]}]`;
    kept = glyphs[to - 1]!.end;
    from = to - 1;
  }
  result += text.slice(kept);
  return result === text ? text : redactedText(result, kinds, names);
}

function find(
  kind: RedactKind,
  glyphs: readonly Glyph[],
  tokens: readonly Token[],
  names: readonly string[],
): Found[] {
  switch (kind) {
    case 'email':
      return findEmails(glyphs);
    case 'iban':
      return findIbans(glyphs, tokens);
    case 'card':
      return findCards(tokens);
    case 'national-id':
      return findIdentities(glyphs);
    case 'ip':
      return findAddresses(tokens);
    case 'phone':
      return findPhones(tokens);
    case 'name':
      return findNames(tokens, names);
  }
}
