import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';

/** A person, as the contracts call the kind, and by the id that the source has. */
export interface Subject {
  readonly type: string;
  readonly id: string;
}

/** `customer:42`; `-` reads it from stdin, where no list of processes and no history of a shell keeps it. */
export function parseSubject(text: string): Subject {
  const given = text === '-' ? readFileSync(0, 'utf8').replace(/\r?\n$/, '') : text;
  const match = /^([^:]+):(.+)$/s.exec(given);
  if (!match) throw new InvalidArgumentError('Write the kind of person, a colon, and the id: customer:42.');
  return { type: match[1]!, id: match[2]! };
}
