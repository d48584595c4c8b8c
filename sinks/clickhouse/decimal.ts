const pattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;

/** Powers of ten up to the widest Decimal. */
const powers = Array.from({ length: 77 }, (_, exponent) => 10n ** BigInt(exponent));

/**
 * A decimal text as the integer that a Decimal(precision, scale) stores, exactly; undefined for what is no number
 * (NaN, infinity) or does not fit. The exponent is taken because Java writes small decimals with one.
 */
export function scaledInteger(text: string, precision: number, scale: number): bigint | undefined {
  const m = pattern.exec(text);
  if (!m) return undefined;
  const fraction = m[3] ?? '';
  const digits = BigInt(m[2]! + fraction);
  if (digits === 0n) return 0n;
  const shift = scale - fraction.length + Number(m[4] ?? 0);
  if (shift > precision) return undefined;
  let scaled = digits;
  if (shift > 0) scaled *= powers[shift]!;
  if (shift < 0) {
    const divisor = 10n ** BigInt(-shift);
    if (digits % divisor !== 0n) return undefined;
    scaled = digits / divisor;
  }
  if (scaled >= powers[precision]!) return undefined;
  return m[1] === '-' ? -scaled : scaled;
}
