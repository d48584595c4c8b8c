/** The table whose stores are rebuilt, and its contract. */
export const table = 'public.people';
export const contract = `table: ${table}
owner: test@lethe.example
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  stays: { classification: internal, action: keep }
  n: { classification: internal, action: keep }
  name: { classification: person.name, action: mask, keepEnd: 1 }
`;
