import { barOf } from './terminal-reporter.ts';

const plainEveryMs = 5_000;
const barChars = 24;

/** How far long work has come, on stderr: one live line on a terminal, a line every few seconds elsewhere. */
export class ProgressBar {
  private readonly out: NodeJS.WriteStream;
  private label = '';
  private saidMs = performance.now();
  private isDrawn = false;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.out = out;
  }

  /** What comes now. */
  stage(label: string): void {
    this.end();
    this.label = label;
    if (!this.out.isTTY) this.out.write(`${label}\n`);
    else this.draw(label);
  }

  progress(done: number, total: number, what = 'records'): void {
    const counts = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`;
    if (this.out.isTTY)
      return this.draw(`${this.label} ${barOf(total === 0 ? 1 : done / total, barChars)}${counts}`);
    const now = performance.now();
    if (now - this.saidMs < plainEveryMs) return;
    this.saidMs = now;
    this.out.write(`${this.label}: ${counts}\n`);
  }

  /** Leaves the line as it is; call it before anything else is written. */
  end(): void {
    if (this.isDrawn) this.out.write('\n');
    this.isDrawn = false;
  }

  private draw(line: string): void {
    this.out.write(`\r\u001B[2K${line.slice(0, (this.out.columns || 80) - 1)}`);
    this.isDrawn = true;
  }
}
