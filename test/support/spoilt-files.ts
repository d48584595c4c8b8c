import { goodContract } from '../unit/schemas/project-files.ts';

const leaf = /^( *(?:- )?(?:[\w]+: )?)(?:[^\s#:{[][^#\n]*)$/;

/** The text with each of its values in turn replaced by one that nobody may see. */
export function spoilt(text: string, canary: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const [, name] = leaf.exec(line) ?? [];
    const bad = [
      JSON.stringify(canary),
      `[${canary}, {x: "${canary}"}]`,
      `"${canary}`,
      `*${canary}`,
      `!${canary} x`,
    ];
    return name ? bad.map((value) => lines.with(i, `${name}${value}`).join('\n')) : [];
  });
}

/** With every part that has values of its own. */
export const richContract = `${goodContract}where:
  - column: status
    in: [active]
consent:
  purpose: marketing
  column: email
erasure:
  source: 'null'
  columns: [status]
  starts: true
`;

/** Rules that `goodContract` breaks: its e-mail address is encrypted. */
export const houseRules = `defaults:
  person.contact: { action: 'null' }
  person.birth:
    action: generalise
    to: year
rules:
  - classification: [person.contact]
    tables: [public.customers]
    never:
      - encrypt
    sinks: [clickhouse]
    mask: { mostShown: 2 }
`;

/** A file of the Open Data Contract Standard that cannot be taken: keepEnd is at fault. */
export const odcsFile = `apiVersion: v3.1.0
kind: DataContract
schema:
  - name: customers
    properties:
      - name: email
        classification: person.contact
        customProperties:
          - property: lethe.action
            value: mask
          - property: lethe.keepEnd
            value: 99
      - name: phone
        classification: public
        tags: [pii]
    customProperties:
      - property: lethe.tier
        value: 1
team:
  name: crm
slaProperties:
  - property: latency
    value: 30
    unit: s
`;
