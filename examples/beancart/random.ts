import { base, de, en, Faker, ja } from '@faker-js/faker';

/** "Now" in the sample, so that a seed gives the same rows on every day. */
export const today = new Date('2026-03-01T00:00:00Z');
const dayMs = 86_400_000;
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZäß—é';

const poolSize = 300;

const fakes = {
  name: (f) => f.person.fullName(),
  firstName: (f) => f.person.firstName(),
  email: (f) => f.internet.email(),
  phone: (f) => f.phone.number(),
  company: (f) => f.company.name(),
  street: (f) => f.location.streetAddress(),
  streetDetail: (f) => f.location.secondaryAddress(),
  city: (f) => f.location.city(),
  country: (f) => f.location.country(),
  postcode: (f) => f.location.zipCode(),
  ip: (f) => f.internet.ip(),
  userAgent: (f) => f.internet.userAgent(),
  cardNumber: (f) => f.finance.creditCardNumber(),
  iban: (f) => f.finance.iban(),
  bic: (f) => f.finance.bic({ includeBranchCode: true }),
  product: (f) => f.commerce.productName(),
  productText: (f) => f.commerce.productDescription(),
  words: (f) => f.lorem.words(3),
  sentence: (f) => f.lorem.sentence(),
} satisfies Record<string, (faker: Faker) => string>;
export type FakeKind = keyof typeof fakes;

/** Seeded invention: the same seed gives the same people, texts and choices. Shares nothing with other instances. */
export class Random {
  readonly #fakers: readonly Faker[];
  readonly #pools = new Map<string, string[]>();
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
    this.#fakers = [en, de, ja].map((locale, i) => {
      const faker = new Faker({ locale: [locale, en, base], seed: seed + i });
      faker.setDefaultRefDate(today);
      return faker;
    });
  }

  /** Mostly English, sometimes German or Japanese: not all the world is ASCII. */
  get faker(): Faker {
    const roll = this.unit();
    return this.#fakers[roll < 0.6 ? 0 : roll < 0.85 ? 1 : 2]!;
  }

  /** One of {@link poolSize} inventions of this kind, made on demand: inventing each anew costs ten times the insert. */
  fake(kind: FakeKind): string {
    let pool = this.#pools.get(kind);
    if (!pool) this.#pools.set(kind, (pool = []));
    const at = this.int(0, poolSize - 1);
    return (pool[at] ??= fakes[kind](this.faker));
  }

  /** Decimal digits. */
  digits(length: number): string {
    let out = '';
    while (out.length < length) out += String(this.int(0, 9));
    return out;
  }

  /** Some of the list, in its order. */
  someOf<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.chance(probability));
  }

  /** From 0 inclusive to 1 exclusive (mulberry32). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** Both ends inclusive. */
  int(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  /** The value, or null with this probability. */
  sometimesNull<T>(probability: number, make: () => T): T | null {
    return this.chance(probability) ? null : make();
  }

  /** As many random bytes. */
  bytes(length: number): Buffer {
    const out = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) out[i] = this.int(0, 255);
    return out;
  }

  /** Bytes as Postgres takes them from text. */
  bytea(length: number): string {
    return `\\x${this.bytes(length).toString('hex')}`;
  }

  /** A version 4 uuid. */
  uuid(): string {
    const hex = this.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** Text that does not compress below the TOAST threshold. */
  longText(length: number): string {
    let out = '';
    while (out.length < length) {
      for (let i = this.int(2, 11); i > 0; i--) out += letters[this.int(0, letters.length - 1)];
      out += this.chance(0.02) ? '\n' : ' ';
    }
    return out.slice(0, length);
  }

  /** A length that TOAST moves out of line. */
  toastLength(): number {
    return this.int(8_500, 16_000);
  }

  /** `12.34`: money between two bounds, exact. */
  money(min: number, max: number): string {
    return (this.int(min * 100, max * 100) / 100).toFixed(2);
  }

  /** ISO 8601 to the microsecond, this many days before {@link today} at most. */
  instant(daysBack: number): string {
    const date = new Date(today.getTime() - Math.floor(this.unit() * daysBack * dayMs));
    return `${date.toISOString().slice(0, -1)}${String(this.int(0, 999)).padStart(3, '0')}Z`;
  }

  /** The same without a zone. */
  localInstant(daysBack: number): string {
    return this.instant(daysBack).slice(0, -1);
  }

  /** `2026-03-17`: a day around {@link today}. */
  day(daysBack: number, daysAhead: number): string {
    return new Date(today.getTime() + this.int(-daysBack, daysAhead) * dayMs).toISOString().slice(0, 10);
  }

  /** `17:45:03.000250` */
  timeOfDay(): string {
    const two = (n: number): string => String(n).padStart(2, '0');
    const micros = String(this.int(0, 999_999)).padStart(6, '0');
    return `${two(this.int(0, 23))}:${two(this.int(0, 59))}:${two(this.int(0, 59))}.${micros}`;
  }
}

/** A seed of its own for each part, from one seed. */
export function deriveSeed(seed: number, part: number): number {
  return Math.imul(seed ^ 0x5bd1e995, 0x01000193) ^ Math.imul(part + 1, 0x9e3779b1);
}
