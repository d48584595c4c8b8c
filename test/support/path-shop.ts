/**
 * Customers, their orders and mailboxes, and what hangs on these: no item says whose it is, no newsletter who agreed, no
 * letter either.
 */
export const pathSchema = `
  create table customers (id int primary key, email text not null, opted_in boolean, bio text);
  create table orders (id int primary key, customer_id int not null references customers);
  create table order_items (id int primary key, order_id int not null references orders, note text);
  create index on order_items (order_id);
  create table newsletters (id int primary key, customer_id int references customers, topic text);
  create index on newsletters (customer_id);
  create table mailboxes (address text primary key, customer_id int references customers);
  create table letters (id int primary key, address text references mailboxes, body text)`;

/** Contracts of these tables, by file name; rows wait for as long as `deadline` says. */
export function pathContracts(deadline: string): Record<string, string> {
  const head = (table: string) => `table: public.${table}
owner: test@lethe.example
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
`;
  return {
    'customers.yaml': `${head('customers')}subject: { type: customer, key: id }
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  opted_in: { classification: internal, action: drop }
  bio: { classification: content.free-text, action: drop }
`,
    'orders.yaml': `${head('orders')}columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: drop }
`,
    'order_items.yaml': `${head('order_items')}subject: { type: customer, path: [order_id, public.orders.customer_id] }
parking: { deadline: ${deadline} }
columns:
  id: { classification: internal, action: keep }
  order_id: { classification: internal, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
    'newsletters.yaml': `${head('newsletters')}consent: { purpose: marketing, path: [customer_id, public.customers.opted_in] }
parking: { deadline: ${deadline} }
columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  topic: { classification: internal, action: keep }
`,
    'mailboxes.yaml': `${head('mailboxes')}columns:
  address: { classification: person.contact, action: hash }
  customer_id: { classification: person.id, action: drop }
`,
    'letters.yaml': `${head('letters')}subject: { type: customer, path: [address, public.mailboxes.customer_id] }
consent: { purpose: marketing, path: [address, public.mailboxes.customer_id, public.customers.opted_in] }
parking: { deadline: ${deadline} }
columns:
  id: { classification: internal, action: keep }
  address: { classification: person.contact, action: drop }
  body: { classification: content.free-text, action: encrypt }
`,
  };
}
