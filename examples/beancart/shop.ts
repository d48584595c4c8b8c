import { note } from './people.ts';
import type { Random } from './random.ts';
import type { Row } from './row.ts';

const roasts = ['light', 'medium', 'dark'] as const;
const varieties = ['Yirgacheffe', 'Sidamo', 'Huila', 'Kiambu', 'Mandheling', 'Antigua', '雲南'] as const;
const styles = ['Espresso', 'Filter', 'Blend', 'Décaf', 'Reserve'] as const;
const tags = ['fruity', 'nutty', 'washed', 'natural', 'single origin', 'it"s', 'früh', 'a|b%c', ''] as const;
const orderStatuses = ['placed', 'paid', 'packed', 'shipped', 'delivered', 'returned'] as const;
const carriers = ['DHL', 'Hermes', 'ヤマト運輸', 'La Poste'] as const;

/** A product. Descriptions, attributes, tags and photos are TOAST-sized now and then. */
export function makeProduct(random: Random, sku: string, status: 'draft' | 'active' | 'retired'): Row {
  const long = (): boolean => random.chance(0.1);
  return {
    sku,
    name: `${random.pick(varieties)} ${random.pick(styles)}`,
    status,
    roast: random.sometimesNull(0.1, () => random.pick(roasts)),
    origin: random.sometimesNull(0.1, () => random.fake('country')),
    description: random.sometimesNull(0.1, () =>
      long()
        ? random.longText(random.toastLength())
        : `${random.pick(varieties)} coffee. ${random.fake('productText')}`,
    ),
    attributes: {
      process: random.fake('words'),
      notes: ['cocoa', 'citrus "zest"', '柚子'],
      water: { celsius: 93.5, ratio: null, hard: false },
      ...(long() ? { farm: random.longText(random.toastLength()) } : {}),
    },
    tags: long()
      ? Array.from({ length: 900 }, () => random.bytes(6).toString('hex'))
      : [...random.someOf(tags, 0.2), ...(random.chance(0.1) ? [null] : [])],
    altitudes: random.sometimesNull(0.3, () => [random.int(600, 1_200), random.int(1_200, 2_300)]),
    price: random.money(4, 60),
    cost: random.sometimesNull(0.2, () => random.money(1, 30)),
    weight_g: random.pick([250, 500, 1_000]),
    stock: random.sometimesNull(0.1, () => random.int(0, 900)),
    acidity: random.sometimesNull(0.2, () => Math.fround(random.unit() * 7)),
    cup_score: random.sometimesNull(0.2, () => 70 + random.unit() * 30),
    organic: random.sometimesNull(0.2, () => random.chance(0.5)),
    barcode: random.sometimesNull(0.1, () => `9${random.digits(17)}`),
    photo: random.sometimesNull(0.6, () => random.bytea(long() ? random.toastLength() : 90)),
    launched_on: random.sometimesNull(0.1, () => random.day(2_000, 90)),
    sold_from: random.sometimesNull(0.4, () => random.timeOfDay()),
    supplier_contact: random.fake('name'),
    supplier_email: random.sometimesNull(0.2, () => random.fake('email')),
    buyer_phone: random.sometimesNull(0.2, () => random.fake('phone')),
    buyer_note: random.sometimesNull(0.5, () => random.fake('sentence')),
    created_at: random.instant(1_000),
    updated_at: random.sometimesNull(0.5, () => random.localInstant(200)),
  };
}

/** An article number; some come from an older system and hold what an id has to escape. */
export function makeSku(random: Random, number: number): string {
  const code = random.pick(['ETHI', 'KENY', 'COLO', 'SUMA', 'YEME'] as const);
  return number % 20 === 7 ? `alt|${code}%${number} ö/${code}` : `${code}-${String(number).padStart(6, '0')}`;
}

/** A subscription of this customer. */
export function makeSubscription(
  random: Random,
  code: string,
  customerId: string,
  productSku: string,
  addressId: string | null,
): Row {
  const gift = random.chance(0.2);
  return {
    code,
    customer_id: customerId,
    product_sku: productSku,
    address_id: addressId,
    status: random.pick(['active', 'active', 'paused', 'cancelled'] as const),
    every_days: random.pick([7, 14, 30, 60]),
    quantity: random.int(1, 4),
    price: random.money(5, 80),
    grind: random.sometimesNull(0.2, () => random.pick(['whole bean', 'espresso', 'filter'] as const)),
    next_on: random.sometimesNull(0.2, () => random.day(0, 60)),
    started_at: random.instant(700),
    paused_until: random.sometimesNull(0.8, () => random.localInstant(100)),
    gift_recipient: gift ? random.fake('name') : null,
    gift_message: gift ? random.fake('sentence') : null,
    partner_id: random.sometimesNull(0.7, () => random.uuid()),
    promo_code: random.sometimesNull(0.7, () => random.pick(['WELCOME10', 'BEAN5', 'FRIENDS'] as const)),
    cancel_reason: random.sometimesNull(0.8, () => random.fake('sentence')),
    internal_note: random.sometimesNull(0.7, () => random.fake('sentence')),
  };
}

/** What an order refers to. */
export interface OrderParents {
  readonly customerId: string;
  readonly subscriptionCode: string | null;
  readonly paymentToken: string | null;
  readonly addressId: string | null;
}

/** An order of this customer. */
export function makeOrder(random: Random, id: string | undefined, parents: OrderParents): Row {
  return {
    ...(id === undefined ? {} : { id }),
    customer_id: parents.customerId,
    subscription_code: parents.subscriptionCode,
    payment_token: parents.paymentToken,
    ship_to: parents.addressId,
    status: random.pick(orderStatuses),
    currency: random.sometimesNull(0.05, () => random.pick(['EUR', 'JPY', 'CHF'] as const)),
    total: random.money(-50, 400),
    fx_rate: random.sometimesNull(0.5, () => `1.${random.digits(random.int(1, 14))}1`),
    contact_email: random.sometimesNull(0.2, () => random.fake('email')),
    loyalty_card: random.sometimesNull(0.4, () => `6${random.digits(17)}`),
    client_ip: random.fake('ip'),
    user_agent: random.fake('userAgent'),
    invoice: random.sometimesNull(0.2, () => ({ to: random.fake('name'), city: random.fake('city') })),
    gift_note: random.sometimesNull(0.7, () => note(random)),
    debug_trace: random.sometimesNull(0.7, () => random.uuid()),
    placed_at: random.instant(400),
    paid_at: random.sometimesNull(0.2, () => random.localInstant(400)),
    requested_on: random.sometimesNull(0.6, () => random.day(30, 30)),
  };
}

/** One line of an order. */
export function makeOrderItem(
  random: Random,
  orderId: string,
  line: number,
  customerId: string,
  productSku: string,
): Row {
  return {
    order_id: orderId,
    line,
    customer_id: customerId,
    product_sku: productSku,
    quantity: random.int(1, 6),
    unit_price: random.money(4, 60),
    discount: random.sometimesNull(0.3, () => random.money(0, 5)),
    gift_tag: random.sometimesNull(0.7, () => random.fake('firstName')),
    label_name: random.sometimesNull(0.5, () => random.fake('name')),
    grind_note: random.sometimesNull(0.7, () => random.fake('words')),
    picker_note: random.sometimesNull(0.7, () => random.fake('words')),
  };
}

/** A parcel of an order. */
export function makeShipment(random: Random, orderId: string, customerId: string): Row {
  const recipient = random.fake('name');
  return {
    id: random.uuid(),
    order_id: orderId,
    customer_id: customerId,
    carrier: random.pick(carriers),
    status: random.pick(['label', 'transit', 'delivered', 'lost'] as const),
    tracking_number: random.sometimesNull(0.1, () => random.bytes(9).toString('hex')),
    recipient,
    destination: random.sometimesNull(0.1, () => ({ recipient, street: random.fake('street') })),
    label: random.sometimesNull(0.2, () => note(random)),
    checkpoints: random.sometimesNull(0.1, () => [random.fake('city'), null, 'customs "ok"']),
    signature: random.sometimesNull(0.6, () => random.bytea(80)),
    driver_phone: random.sometimesNull(0.3, () => random.fake('phone')),
    courier_remark: random.sometimesNull(0.7, () => random.fake('sentence')),
    weight_g: random.sometimesNull(0.1, () => random.int(250, 8_000)),
    pickup_after: random.sometimesNull(0.4, () => random.timeOfDay()),
    promised_on: random.sometimesNull(0.2, () => random.day(10, 20)),
    shipped_at: random.sometimesNull(0.2, () => random.instant(300)),
    delivered_at: random.sometimesNull(0.4, () => random.localInstant(300)),
  };
}

/** A review by this customer. */
export function makeReview(
  random: Random,
  id: string | undefined,
  customerId: string,
  productSku: string,
): Row {
  return {
    ...(id === undefined ? {} : { id }),
    customer_id: customerId,
    product_sku: productSku,
    rating: random.int(1, 5),
    title: random.sometimesNull(0.1, () => (random.chance(0.1) ? '' : random.fake('words'))),
    body: random.sometimesNull(0.1, () => note(random)),
    author_name: random.sometimesNull(0.1, () => random.fake('name')),
    author_email: random.sometimesNull(0.2, () => random.fake('email')),
    author_ip: random.sometimesNull(0.2, () => random.fake('ip')),
    reply: random.sometimesNull(0.7, () => note(random)),
    draft: random.sometimesNull(0.7, () => note(random)),
    moderation_note: random.sometimesNull(0.7, () => note(random)),
    shadow_text: random.sometimesNull(0.7, () => random.fake('sentence')),
    helpful: random.sometimesNull(0.2, () => random.int(0, 90)),
    sentiment: random.sometimesNull(0.3, () => random.unit() * 2 - 1),
    posted_at: random.instant(500),
    edited_at: random.sometimesNull(0.8, () => random.localInstant(300)),
  };
}
