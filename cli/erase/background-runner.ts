import { safeReason } from '../../schemas/errors.ts';

/** How often is looked whether there is something to be done: what was filed by another process, or failed here. */
const lookMs = 60_000;

export interface BackgroundParts {
  /** Carries open requests out, until none can be carried further; nothing where there is none. */
  readonly run: () => Promise<unknown>;
  readonly say: (text: string) => void;
  readonly lookMs?: number;
}

/**
 * Carries requests out beside what a process serves: one run at a time. What comes while one runs is done by the next. A run that fails says
 * so, and is made again at the next look.
 */
export class BackgroundRunner {
  readonly #parts: BackgroundParts;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isDue = false;
  #isClosed = false;

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.wake(), parts.lookMs ?? lookMs);
    this.#timer.unref();
  }

  /** There may be something to be done. */
  wake(): void {
    this.#isDue = true;
    if (!this.#isClosed) this.#running ??= this.#loop();
  }

  /** Until the run that is under way has ended: who closes has it stopped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #loop(): Promise<void> {
    try {
      while (this.#isDue && !this.#isClosed) {
        this.#isDue = false;
        await this.#parts.run();
      }
    } catch (error) {
      // Whatever it is: what else is served here goes on.
      if (!this.#isClosed) this.#parts.say(`erasures: ${safeReason(error)}`);
    } finally {
      this.#running = undefined;
    }
  }
}
