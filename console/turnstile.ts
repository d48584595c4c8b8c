/**
 * Lets so many through at once, and has so many wait in the order of their coming. Whoever finds no room is sent away at once: what many ask
 * for must not take all connections of a server that others live on.
 */
export class Turnstile {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(atOnce: number, mostWaiting: number) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /** What the work gives; undefined for whoever was sent away. */
  async pass<T extends object>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#inside < this.#atOnce) this.#inside++;
    else if (this.#waiting.length < this.#mostWaiting) {
      // Whoever leaves hands over his place.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else return undefined;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inside--;
    }
  }
}
