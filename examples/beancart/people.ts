import type { Random } from './random.ts';
import type { Row } from './row.ts';

const statuses = ['lead', 'active', 'active', 'active', 'paused', 'closed'] as const;
const locales = ['en-GB', 'de-DE', 'ja-JP', 'fr-CH', ''] as const;
const interests = ['espresso', 'filter', 'décaf', 'cold brew', 'latte "art"', '豆', 'a,b', '{}', ''] as const;
const allergens = ['lactose', 'nuts', 'soy', 'gluten', 'caffeine'] as const;
const countries = ['DE', 'AT', 'CH', 'FR', 'JP', 'GB', 'US'] as const;

/** A customer, with all columns. */
export function makeCustomer(random: Random, id: string | undefined, ref: string): Row {
  const name = random.fake('name');
  return {
    ...(id === undefined ? {} : { id }),
    external_ref: ref,
    status: random.pick(statuses),
    email: random.fake('email').toLowerCase(),
    full_name: name,
    display_name: random.sometimesNull(0.2, () => name.slice(0, 20)),
    phone: random.sometimesNull(0.2, () => random.fake('phone')),
    birth_date: random.sometimesNull(0.2, () => random.day(30_000, -6_600)),
    national_id: random.sometimesNull(0.5, () => random.digits(11)),
    loyalty_points: random.int(0, 5_000),
    credit_limit: random.sometimesNull(0.3, () => random.money(0, 9_000)),
    locale: random.sometimesNull(0.1, () => random.pick(locales)),
    interests: random.someOf(interests, 0.2),
    allergies: random.sometimesNull(0.6, () => random.someOf(allergens, 0.2)),
    preferences: { newsletter: random.chance(0.5), cups: random.int(0, 6), blend: random.fake('product') },
    marketing_opt_in: random.chance(0.4),
    needs_assistance: random.sometimesNull(0.5, () => random.chance(0.1)),
    signup_ip: random.fake('ip'),
    last_login_ip: random.sometimesNull(0.2, () => random.fake('ip')),
    last_login_at: random.sometimesNull(0.2, () => random.instant(300)),
    terms_accepted_at: random.sometimesNull(0.2, () => random.localInstant(900)),
    call_after: random.sometimesNull(0.6, () => random.timeOfDay()),
    password_hash: random.bytea(32),
    avatar: random.sometimesNull(0.7, () => random.bytea(random.chance(0.05) ? random.toastLength() : 60)),
    notes: random.sometimesNull(0.5, () => note(random)),
    referrer: random.sometimesNull(0.5, () => random.fake('email')),
    crm_note: random.sometimesNull(0.5, () => random.fake('sentence')),
    created_at: random.instant(900),
  };
}

/** A free text of a few words, sometimes TOAST-sized, sometimes empty. */
export function note(random: Random): string {
  if (random.chance(0.06)) return random.longText(random.toastLength());
  return random.chance(0.05) ? '' : random.fake('sentence');
}

/** An address of this customer. */
export function makeAddress(random: Random, id: string | undefined, customerId: string): Row {
  return {
    ...(id === undefined ? {} : { id }),
    customer_id: customerId,
    kind: random.pick(['home', 'work', 'pickup'] as const),
    recipient: random.fake('name'),
    company: random.sometimesNull(0.7, () => random.fake('company')),
    line1: random.fake('street'),
    line2: random.sometimesNull(0.7, () => random.fake('streetDetail')),
    city: random.fake('city'),
    postcode: random.fake('postcode'),
    country: random.pick(countries),
    phone: random.sometimesNull(0.3, () => random.fake('phone')),
    latitude: random.sometimesNull(0.2, () => (random.unit() * 180 - 90).toFixed(6)),
    longitude: random.sometimesNull(0.2, () => (random.unit() * 360 - 180).toFixed(6)),
    door_code: random.sometimesNull(0.7, () => random.digits(6)),
    delivery_hint: random.sometimesNull(0.6, () => random.fake('sentence')),
    is_default: random.chance(0.6),
    created_at: random.instant(800),
    updated_at: random.sometimesNull(0.6, () => random.localInstant(200)),
  };
}

/** A way to pay of this customer, whose `external_ref` it repeats. */
export function makePaymentMethod(random: Random, customerId: string, customerRef: string): Row {
  const kind = random.pick(['card', 'card', 'sepa', 'wallet'] as const);
  return {
    token: `tok_${random.bytes(12).toString('hex')}`,
    customer_id: customerId,
    customer_ref: customerRef,
    kind,
    card_number: kind === 'card' ? random.fake('cardNumber') : null,
    card_expiry: kind === 'card' ? random.day(0, 1_500) : null,
    iban: kind === 'sepa' ? random.fake('iban') : null,
    bic: kind === 'sepa' ? random.fake('bic') : null,
    account_holder: random.fake('name'),
    mandate_scan: kind === 'sepa' ? random.bytea(random.chance(0.1) ? random.toastLength() : 200) : null,
    spend_limit: random.sometimesNull(0.3, () => random.money(-100, 5_000)),
    billing_ip: random.sometimesNull(0.3, () => random.fake('ip')),
    gateway_payload: random.sometimesNull(0.4, () => ({
      id: random.uuid(),
      raw: random.fake('words'),
    })),
    verified_at: random.sometimesNull(0.3, () => random.instant(500)),
    fraud_note: random.sometimesNull(0.7, () => random.fake('sentence')),
    is_default: random.chance(0.8),
    added_at: random.instant(800),
  };
}
