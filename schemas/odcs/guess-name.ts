import type { Classification } from '../vocabulary.ts';

/** What the name of a column says it holds; undefined if it says nothing. */
export type GuessName = (name: string) => Classification | undefined;

/** Parts of names, the first that matches counts: what is dropped before what is encrypted. */
const parts: readonly (readonly [Classification, RegExp])[] = [
  ['credential', /passw|passwd|pwd|secret|token|credential|apikey|api_key|private_?key|salt|otp|hash$/],
  ['payment.card', /card|(^|_)(pan|cvv|cvc)($|_)|pci/],
  ['person.national-id', /ssn|social_?sec|passport|national_?id|tax_?id|(^|_)tin($|_)|licen[cs]e/],
  ['person.health', /health|medic|diagnos|allerg|blood|disab|religio|ethnic|gender|(^|_)(sex|phi)($|_)/],
  ['payment.bank', /iban|(^|_)bic($|_)|bank|account|salary|income|credit|balance/],
  ['person.contact', /mail|phone|mobile|(^|_)(fax|tel|cell)($|_)/],
  ['network.address', /(^|_)(ip|ips|mac|ua)($|_)|ip_?addr|user_?agent|device|browser|host_?name/],
  ['person.birth', /birth|(^|_)(dob|born|age)($|_)/],
  ['person.address', /street|addr|post_?code|postal|zip|line_?[123]$/],
  ['person.name', /name$|surname|first_?name|last_?name|recipient|holder/],
  ['location', /city|latitud|longitud|(^|_)(lat|lon|lng|geo|geom)($|_)|location/],
  ['person.id', /customer|person|(^|_)(user|member|patient|employee|uid)($|_)|avatar|photo|signature/],
  ['content.free-text', /note|comment|descri|message|text|(^|_)(bio|body|memo|reason)($|_)|remark/],
];

/** Guesses by English words. `phoneNumber`, `phone_number` and `PHONE NUMBER` are one. */
export const guessName: GuessName = (name) => {
  const plain = name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, '_');
  return parts.find(([, pattern]) => pattern.test(plain))?.[0];
};
