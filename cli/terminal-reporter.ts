import { formatBytes, type Reporter } from '../stack/reporter.ts';

const PLAIN_EVERY_MS = 5_000;
const BAR_CHARS = 24;

/** Progress on stderr: one live line on a terminal, a line every few seconds elsewhere. */
export class TerminalReporter implements Reporter {
  readonly #out: NodeJS.WriteStream;
  readonly #downloads = new Map<string, string>();
  readonly #saidAt = new Map<string, number>();

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  say(text: string): void {
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  progress(label: string, bytes: number, total: number | undefined): void {
    if (this.#out.isTTY) {
      this.#downloads.set(label, downloadLine(label, bytes, total, BAR_CHARS));
      this.#clear();
      this.#draw();
      return;
    }
    const now = performance.now();
    if (now - (this.#saidAt.get(label) ?? Number.NEGATIVE_INFINITY) < PLAIN_EVERY_MS) return;
    this.#saidAt.set(label, now);
    this.#out.write(`${downloadLine(label, bytes, total, 0)}\n`);
  }

  progressEnd(label: string): void {
    this.#downloads.delete(label);
    this.#saidAt.delete(label);
    this.#clear();
    this.#draw();
  }

  #clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001B[2K');
  }

  #draw(): void {
    if (!this.#out.isTTY || this.#downloads.size === 0) return;
    const line = [...this.#downloads.values()].join('  ');
    this.#out.write(line.slice(0, (this.#out.columns || 80) - 1));
  }
}

/** `sonar-application  ██████░░░░  412 MB of 921 MB`. */
export function downloadLine(
  label: string,
  bytes: number,
  total: number | undefined,
  barChars: number,
): string {
  if (total === undefined || total === 0) return `${label} ${formatBytes(bytes)}`;
  const share = Math.min(1, bytes / total); // the tools of a client itself are downloaded too
  const full = Math.round(share * barChars);
  const bar = barChars === 0 ? '' : `${'█'.repeat(full)}${'░'.repeat(barChars - full)} `;
  return `${label} ${bar}${formatBytes(Math.min(bytes, total))} of ${formatBytes(total)}`;
}
