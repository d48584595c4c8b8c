import { eraseSourceRows } from '../../connectors/postgres/erase-rows.ts';
import type { SourceErasurePlan } from '../../connectors/postgres/source-erasure-plan.ts';

/** What fails when rows are erased at the source, each with the canary in whatever a server writes freely, and as the person's id. */
export function sourceErasureFailures(canary: string): readonly (() => unknown)[] {
  const plan: SourceErasurePlan = {
    subjectType: 'customer',
    steps: [
      {
        table: 'public.customers',
        action: 'delete',
        columns: [],
        own: (alias, placeholders) => `${alias}.id = ${placeholders.next()}`,
        isCut: false,
      },
    ],
    deferred: [],
    guards: [],
    tables: [],
    obstacles: [],
  };
  const guard = { text: 'select guard', placeholders: 1, message: 'rows of c', fix: 'take them off' };
  const obstacle = { severity: 'error', code: 'PLAN_REFUSED', message: 'a circle', fix: 'open it' } as const;
  const patience = { attempts: 1, lockTimeoutMs: 1, pauseMs: 0 };
  const erase = (part: Partial<SourceErasurePlan>, answer: (text: string) => object) => () =>
    eraseSourceRows(
      { query: async (text: string) => answer(text) } as never,
      { ...plan, ...part },
      canary,
      patience,
    );
  const nothing = { rows: [], rowCount: 0 };
  const failing = (code: string) => (text: string) => {
    if (!text.startsWith('delete')) return nothing;
    const names = {
      schema: 'public',
      table: 'orders',
      column: 'email',
      constraint: 'orders_customer_id_fkey',
    };
    throw Object.assign(new Error(canary), { code, detail: canary, where: canary, hint: canary, ...names });
  };
  return [
    erase({ obstacles: [obstacle] }, () => nothing),
    erase({ guards: [guard] }, (text) => (text === guard.text ? { rows: [{ found: canary }] } : nothing)),
    erase({}, (text) => (text.startsWith('select 1 from') ? { rows: [{ id: canary }] } : nothing)),
    ...['23503', '23001', '23502', '23514', 'P0001', '22P02', '57014'].map((code) =>
      erase({}, failing(code)),
    ),
  ];
}
