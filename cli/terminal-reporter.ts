import { formatBytes, type Reporter } from '../stack/reporter.ts';

const PLAIN_EVERY_MS = 5_000;
const BAR_CHARS = 24;

/** Progress on stderr: one live line on a terminal, a line every few seconds elsewhere. */
export class TerminalReporter implements Reporter {
  readonly #out: NodeJS.WriteStream;
  readonly #downloads = new Map<string, string>();
  readonly #said = new Map<string, { readonly atMs: number; readonly line: string }>();

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
    const line = downloadLine(label, bytes, total, 0);
    const said = this.#said.get(label);
    const now = performance.now();
    if (said !== undefined && (now - said.atMs < PLAIN_EVERY_MS || said.line === line)) return;
    this.#said.set(label, { atMs: now, line });
    this.#out.write(`${line}\n`);
  }

  progressEnd(label: string): void {
    this.#downloads.delete(label);
    this.#said.delete(label);
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
  return `${label} ${barOf(share, barChars)}${formatBytes(Math.min(bytes, total))} of ${formatBytes(total)}`;
}

/** `██████░░░░ ` for a share from 0 to 1; nothing for no characters. */
export function barOf(share: number, chars: number): string {
  const full = Math.round(Math.min(1, share) * chars);
  return chars === 0 ? '' : `${'█'.repeat(full)}${'░'.repeat(chars - full)} `;
}
