import { Command, InvalidArgumentError } from 'commander';
import { isRequestId } from '../../erasure/requests.ts';
import { isPastTime } from './file-request.ts';

/** What every command about requests takes. */
export interface RequestCommandFlags {
  readonly config: string;
  readonly json?: true;
}

/** A command of `lethe erase`. */
export function requestCommandOf(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
}

export function print({ json }: Pick<RequestCommandFlags, 'json'>, value: object, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : text());
}

export function parseRequestId(text: string): string {
  if (isRequestId(text)) return text;
  throw new InvalidArgumentError('Write letters, digits, dots, - and _; and nothing personal.');
}

export function parseTime(text: string): Date {
  if (isPastTime(text)) return new Date(text);
  throw new InvalidArgumentError('Write a time that is past: 2026-01-31 or 2026-01-31T09:30:00Z.');
}

/** A text that is kept and shown. */
export function parseText(text: string): string {
  if (text.trim() !== '' && text.length <= 1_000) return text;
  throw new InvalidArgumentError('Write some words, of at most 1,000 characters; and nothing personal.');
}
