import { Command } from 'commander';
import { takeReadToken } from '../client/read-token.ts';
import { keyedTable, lookForRows, requestRows } from '../connectors/row-reread.ts';
import { readAppliedContracts, rereadIsDue } from '../connectors/postgres/applied-contracts.ts';
import { noteDrift, readAstray, settleAstray, sourceClock } from '../connectors/postgres/astray.ts';
import { quoteTable } from '../connectors/postgres/quote.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { openWatermarks } from '../console/pipeline-watermarks.ts';
import { waitForToken } from '../console/read-token.ts';
import { BrokerConnections } from '../pipeline/broker-connections.ts';
import { CommittedReader } from '../pipeline/committed-reader.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { buryRows } from '../repair/bury-rows.ts';
import type { TableReconciliation } from '../repair/mismatch.ts';
import { masterOpener } from '../keys/master/open-master.ts';
import { reconcileTable } from '../repair/reconcile-table.ts';
import { readTopicVersions } from '../repair/topic-versions.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { cleanTopic } from '../schemas/names.ts';
import { parseLsn } from '../schemas/version.ts';
import { VerifyError } from '../verify/verify-error.ts';
import { namedTable } from './named-part.ts';
import { openProject, type Project } from './project.ts';
import { reconciliationJson, renderReconciliations } from './show-reconciliation.ts';
import { untilStopped } from './until-stopped.ts';

interface Flags {
  readonly config: string;
  readonly repair?: true;
  readonly keys?: true;
  readonly json?: true;
}

/** Longest wait for the stores to have what was committed at the source. */
const catchUpLimitMs = 5 * 60_000;
/** Rows of one request to read again. */
const rowsOfARequest = 200;

/** `lethe reconcile`: every row of the source against every store, while changes flow; exit 1 if any is left that is not as it must be. */
export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description('compare every row of the source with every store, under traffic, and repair what differs')
    .argument('[table]', 'only this table')
    .option(
      '--repair',
      'read rows again that are missing, stale or different, and delete those that the source has not',
    )
    .option('--keys', 'name rows by their keys as consumers see them, instead of by digests')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async (table: string | undefined, flags: Flags) => {
      const project = await openProject(flags.config);
      const found: TableReconciliation[] = [];
      const chosen = table === undefined ? project.datasets : [namedTable(project.datasets, table)];
      await untilStopped(async (signal) => {
        for (const dataset of chosen) {
          const settle = await astrayBefore(project, dataset);
          const own = await reconcileDataset(project, dataset, {
            repairs: flags.repair === true,
            signal,
            onProgress: (text) => void process.stderr.write(`${dataset.table}: ${text}\n`),
          });
          found.push(own);
          const isEqual = own.found.length === 0 && dataset.contract.sinks.length > 0;
          if (own.left.length === 0 && !own.more && (flags.repair === true || isEqual)) await settle();
        }
      });
      const keys = flags.keys === true;
      process.stdout.write(
        flags.json
          ? `${JSON.stringify(reconciliationJson(found, { keys }))}\n`
          : renderReconciliations(found, { keys }),
      );
      if (found.some(({ left, more }) => left.length > 0 || more)) process.exitCode = 1;
    });
}

/** What was missed while the table was not as it was applied is made good by what begins now, if it is as applied from now on. */
async function astrayBefore({ config }: Project, dataset: Dataset): Promise<() => Promise<void>> {
  const look = () =>
    withSource(config.postgres, async (client) => {
      await noteDrift(client, config, await readAppliedContracts(client, config), [dataset.table]);
      return await sourceClock(client);
    });
  const began = await look();
  return async () => {
    await look();
    await withSource(config.postgres, async (client) => {
      const { table, contract } = dataset;
      const astray = await readAstray(client, config);
      if (!astray.some((one) => one.table === table)) return;
      // No store tells what the topic alone lacks: all rows are read again.
      if (contract.sinks.length === 0) await rereadIsDue(client, config, dataset);
      await settleAstray(client, config, table, began);
    });
  };
}

export interface ReconcileOptions {
  readonly repairs: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** Reconciles one table of a pipeline that runs. */
export async function reconcileDataset(
  { config, datasets, catalog }: Project,
  dataset: Dataset,
  { repairs, signal, onProgress }: ReconcileOptions,
): Promise<TableReconciliation> {
  const kafka = createKafka(config, 'reconcile');
  const reader = new CommittedReader(new BrokerConnections(config, 'reconcile'));
  const opened = await openWatermarks(config, datasets);
  const keyed = keyedTable(dataset, catalog.tables.get(dataset.table)!);
  try {
    return await reconcileTable({
      openEpoch: masterOpener(config),
      config,
      dataset,
      estimate: await countRows(config, dataset.table),
      signal,
      onProgress,
      caughtUp: async () => {
        const token = {
          lsn: await currentLsn(config),
          sinks: dataset.contract.sinks,
          tables: [dataset.table],
        };
        const limit = AbortSignal.any([signal, AbortSignal.timeout(catchUpLimitMs)]);
        const { reached } = await waitForToken(config, opened.watermarks, token, limit);
        if (reached) return;
        throw new LetheError(
          'SERVER_FAILED',
          `the stores of ${dataset.table} do not catch up with the source`,
          {
            fix: 'Look at `lethe status`: the processors must run.',
          },
        );
      },
      topicVersions: (keys) => readTopicVersions(reader, cleanTopic(config, dataset.table), keys),
      ...(repairs
        ? {
            bury: (rows) => buryRows(kafka, config, dataset, rows),
            reread: (keys) =>
              withSource(config.postgres, async (client) => {
                for (let from = 0; from < keys.length; from += rowsOfARequest) {
                  const look = await lookForRows(client, keyed, keys.slice(from, from + rowsOfARequest));
                  await requestRows(client, config, keyed, look);
                }
              }),
          }
        : {}),
    });
  } catch (error) {
    if (error instanceof VerifyError) throw new LetheError('SERVER_FAILED', error.message);
    throw error;
  } finally {
    await Promise.all([opened.close(), reader.close()]);
  }
}

function currentLsn(config: Project['config']): Promise<bigint> {
  return withSource(config.postgres, async (client) => parseLsn(await takeReadToken(client)));
}

function countRows(config: Project['config'], table: string): Promise<number> {
  return withSource(config.postgres, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      `select count(*)::text as count from ${quoteTable(table)}`,
    );
    return Number(rows[0]!.count);
  });
}
