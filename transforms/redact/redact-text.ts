import { placeholders, type RedactionKind } from '../../schemas/redaction.ts';
import { cardSpans } from './card.ts';
import { emailSpans } from './email.ts';
import { ibanSpans } from './iban.ts';
import { ipSpans } from './ip.ts';
import { compileNames, nameSpans } from './name.ts';
import { nationalIdSpans } from './national-id.ts';
import { phoneSpans } from './phone.ts';
import { plainText } from './plain-text.ts';
import { mergeSpans, type Span } from './span.ts';

const detectors: Readonly<Record<Exclude<RedactionKind, 'name'>, (plain: string) => Span[]>> = {
  email: emailSpans,
  phone: phoneSpans,
  card: cardSpans,
  iban: ibanSpans,
  'national-id': nationalIdSpans,
  ip: ipSpans,
};

/**
 * A text with a placeholder where an item of one of these kinds stood, by the rules of docs/redaction.md. `names` are
 * what the kind `name` finds. A text without any item is returned as it is; redacting a result changes nothing.
 */
export function redactText(
  text: string,
  kinds: ReadonlySet<RedactionKind>,
  names: readonly string[],
): string {
  const finders = [...kinds].map((kind) => {
    if (kind !== 'name') return detectors[kind];
    const needles = compileNames(names);
    return (plain: string) => nameSpans(plain, needles);
  });
  // Each round replaces letters or digits that no placeholder protects, so the rounds end. A second one finds something
  // only where a replaced neighbour had been in the way.
  let result = text;
  for (;;) {
    const before = result;
    result = redactOnce(before, finders);
    if (result === before) return result;
  }
}

function redactOnce(original: string, finders: readonly ((plain: string) => Span[])[]): string {
  const plain = plainText(original);
  let result = '';
  let kept = 0;
  for (const { from, to, kind } of mergeSpans(finders.flatMap((find) => find(plain.text)))) {
    result += original.slice(kept, plain.start(from)) + placeholders[kind];
    kept = plain.end(to - 1);
  }
  return result + original.slice(kept);
}
