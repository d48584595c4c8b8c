import type { CertificateBody } from '../../erasure/certificate.ts';
import { issueCertificate } from '../../erasure/certificate-store.ts';
import { commitmentTo } from '../../erasure/commitment.ts';
import { noticesOf } from '../../erasure/notices.ts';
import { readRetained, type RetainedRow } from '../../erasure/retained-rows.ts';
import type { OpenErasure, StepResult, StepWork } from '../../erasure/runner.ts';
import type { ErasureStep } from '../../erasure/step.ts';
import { appendAudit } from '../../keys/audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { withSigningKey } from '../../keys/signing-key.ts';
import { columnOutcomes } from '../../schemas/column-outcome.ts';
import { sourceErasure } from '../../schemas/erasure-rule.ts';
import { keyUse } from '../../schemas/key-use.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { anchorKeys } from '../anchored-keys.ts';
import { datasetsOf, type ErasureContext } from './context.ts';
import { finalityOf, keysOf } from './destroyed-key.ts';
import { notExamined } from './not-examined.ts';
import { recipientsIn, unacknowledged } from './recipients.ts';

const commitmentUse = keyUse('pseudonym', 'erasure-commitment');

/** What was done and found, signed: the next in the chain of certificates. From then on the index knows nothing of the persons. */
export function certifiedWork(context: ErasureContext): StepWork {
  const { config } = context.project;
  return async (erasures) => {
    const commitmentKey = await context.keys.sharedKey(commitmentUse);
    const results = await withSigningKey(config, (key) =>
      withKeyStore(config, async (client) => {
        const done: StepResult[] = [];
        for (const erasure of erasures) {
          const { request, inventory } = erasure;
          const commitment = commitmentTo({ request: request.id, ...inventory.subject }, commitmentKey);
          const destroyed = await keysOf(client, inventory.keyId!);
          const recipients = recipientsIn(await noticesOf(client, [request.id]));
          const said = bodyOf(context, erasure);
          const body = {
            ...said,
            commitment,
            retained: retainedIn(context, await readRetained(client, { request: request.id })),
            recipients,
            notExamined: [...said.notExamined, ...unacknowledged(recipients)],
            keys: destroyed,
            finality: finalityOf(destroyed),
          };
          const number = await inTransaction(client, async () => {
            const issued = await issueCertificate(client, key, body);
            await client.query(
              'delete from lethe_erasure.records where subject_type = $1 and subject_digest = $2',
              [request.subject.type, request.subject.digest],
            );
            await appendAudit(client, 'erasure-certified', {
              request: request.id,
              certificate: issued.number,
            });
            return issued.number;
          });
          done.push({ evidence: { certificate: number }, inventory: null });
        }
        return done;
      }),
    );
    await anchorKeys(config);
    return results;
  };
}

function bodyOf(
  context: ErasureContext,
  { request, inventory }: OpenErasure,
): Omit<CertificateBody, 'commitment' | 'retained' | 'recipients' | 'keys' | 'finality'> {
  const { config } = context.project;
  const completedAt = new Date().toISOString();
  const datasets = datasetsOf(context, new Set([request.subject.type]));
  const endOf = (step: ErasureStep) => request.steps.find((done) => done.step === step)!.endedAt;
  return {
    pipeline: config.name,
    environment: config.environment,
    overrides: [...config.overrides],
    request: request.id,
    receivedAt: request.receivedAt.toISOString(),
    deadline: request.deadline.toISOString(),
    suppressedAt: endOf('suppressed'),
    keyDestroyedAt: endOf('key-destroyed'),
    completedAt,
    approvals: {
      needed: request.approvals.needed,
      givenAt: request.approvals.given.map(({ at }) => at.toISOString()),
    },
    steps: request.steps.map((done) => ({ ...done, evidence: { ...done.evidence } })),
    tables: datasets.map((dataset) => ({
      table: dataset.table,
      records: inventory.records.filter(({ table }) => table === dataset.table).length,
      source: { action: sourceErasure(dataset.contract), rows: inventory.sourceRows[dataset.table] ?? 0 },
      forgotten: columnOutcomes(dataset).flatMap(({ column, forgotten }) =>
        forgotten === 'nothing'
          ? []
          : [
              {
                column,
                how: forgotten === 'key' ? ('with the key' as const) : ('by deletion only' as const),
              },
            ],
      ),
    })),
    places: inventory.places.map(({ place, asked, found, controls, records, files, bytes, at, why }) => ({
      place,
      asked,
      found: why === undefined ? found : null,
      controls,
      verdict: why === undefined ? ('clean' as const) : ('not scanned' as const),
      records,
      files,
      bytes,
      at,
      ...(why === undefined ? {} : { why }),
    })),
    notExamined: notExamined(datasets),
  };
}

function retainedIn(
  { project: { datasets } }: ErasureContext,
  rows: readonly RetainedRow[],
): CertificateBody['retained'] {
  return [...grouped(rows, ({ dataset }) => dataset)].map(([table, own]) => {
    const { basis, until } = own[0]!;
    const columns =
      datasets.find((dataset) => dataset.table === table)?.contract.erasure?.retain?.columns ?? [];
    return { table, columns: [...columns], rows: own.length, basis, until: until.toISOString() };
  });
}
