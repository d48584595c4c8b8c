import { Command } from 'commander';
import { type KeyStoreStatus, readKeyStoreStatus } from '../keys/key-store-status.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { type Alarm, readAlarms, renderAlarms } from './alarms.ts';
import { type ContractStatus, readContractStatus } from './contract-status.ts';
import {
  erasuresText,
  type ErasureStatus,
  readErasureStatus,
  renderDeadlines,
  renderUnacknowledged,
} from './erase/deadline-alarms.ts';
import type { OlderValues } from './older-values.ts';
import { type PipelineStatus, readStatus, type SinkStatus } from './pipeline-status.ts';
import { openProject, readProjectFiles } from './project.ts';
import { readRebuilds, type RebuildStatus, whatToDo } from './rebuild/rebuild-status.ts';
import { accessText } from './show-key-store.ts';
import { type Cell, renderTable } from './table.ts';

/** Where the pipeline stands, and how its tables stand to their contracts. */
export interface ProjectStatus extends PipelineStatus {
  readonly contracts: readonly ContractStatus[];
  /** Stores whose rows of a table are rebuilt, or were and nobody confirmed. */
  readonly rebuilds: readonly RebuildStatus[];
  /** Tables that do not leave the source as they were applied, or were not reconciled since. */
  readonly alarms: readonly Alarm[];
  /** Undefined where the key store does not answer, or was not set up yet. */
  readonly keys?: KeyStoreStatus;
  /** Requests of erasures, and whose deadline is near; undefined as `keys` is. */
  readonly erasures?: ErasureStatus;
}

/** `lethe status`: connector, slot, groups, sinks against their objectives, dead letters; exit 1 if something is wrong. */
export function statusCommand(): Command {
  return new Command('status')
    .description('where every part of the pipeline stands')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async (flags: { config: string; json?: true }) => {
      const { config, datasets, catalog } = await openProject(flags.config).catch(async (error: unknown) => {
        // What took a table out of the publication may be what its contract does not fit any more.
        if (error instanceof FindingsError) await tellAlarms(flags);
        throw error;
      });
      const alarms = await readAlarms(
        config,
        datasets.map(({ table }) => table),
      );
      const erasures = await readErasureStatus(config);
      const status: ProjectStatus = {
        ...(await readStatus(config, datasets)),
        contracts: await readContractStatus(config, datasets, catalog),
        rebuilds: await readRebuilds(config, datasets),
        alarms,
        ...(await keysOf(config)),
        ...(erasures ? { erasures } : {}),
      };
      process.stdout.write(flags.json ? `${JSON.stringify(status)}\n` : renderStatus(status));
      const shouts = alarms.length + (erasures?.alarms.length ?? 0) + (erasures?.unacknowledged.length ?? 0);
      if (!status.healthy || shouts > 0) process.exitCode = 1;
    });
}

async function keysOf(config: Config): Promise<Pick<ProjectStatus, 'keys'>> {
  try {
    return { keys: await readKeyStoreStatus(config) };
  } catch (error) {
    if (error instanceof LetheError) return {};
    throw error;
  }
}

/** What can be told where the contracts do not fit the tables. */
async function tellAlarms(flags: { config: string; json?: true }): Promise<void> {
  const { config, contracts } = await readProjectFiles(flags.config);
  if (!config) return;
  const tables = contracts.map(({ contract }) => contract.table);
  // The error that brought us here says more than that the source does not answer.
  const alarms = await readAlarms(config, tables).catch((): Alarm[] => []);
  process.stdout.write(flags.json ? `${JSON.stringify({ alarms })}\n` : renderAlarms(alarms));
}

/** The status as tables for people. */
export function renderStatus(status: ProjectStatus): string {
  const { connector, slot, groups, sinks, deadLetters, parked } = status;
  const reading = connector.phase === 'snapshot' ? ', reading a snapshot' : '';
  const parts = [
    ['connector', connector.name, mark(`${connector.state}${reading}`, connector.state === 'RUNNING')],
    [
      'slot',
      slot.name,
      mark(
        `${slot.active ? 'active' : 'inactive'}, WAL ${slot.wal}, ${slot.rewound ? 'the source was restored to before what was read: `lethe check`' : `${kib(slot.lagBytes)} behind`}`,
        slot.active && slot.wal !== 'lost' && !slot.rewound,
      ),
    ],
    ...groups.map(({ group, lag }) => ['group', group, `${lag} behind`]),
    ['keys', status.keys ? `epoch ${status.keys.epochs[0]?.epoch ?? '-'}` : '-', keysCell(status.keys)],
    ...(status.keys ? [['access', '-', accessCell(status.keys)]] : []),
    ...(status.erasures ? [['erasures', '-', erasuresCell(status.erasures)]] : []),
  ];
  const dead =
    deadLetters.length === 0
      ? 'no dead letters\n'
      : `${renderTable(
          ['dead letters', 'stage', 'code', 'count'],
          deadLetters.map((d) => [d.table, d.stage, d.code, { text: String(d.count), style: 'red' }]),
        )}\nWhat to do about them: \`lethe dlq list\`.\n`;
  const waiting =
    parked.length === 0
      ? []
      : [
          renderTable(
            ['rows in waiting', 'count'],
            parked.map((p) => [p.table, String(p.count)]),
          ),
        ];
  return [
    ...(status.alarms.length === 0 ? [] : [renderAlarms(status.alarms)]),
    ...(status.erasures?.alarms.length ? [renderDeadlines(status.erasures)] : []),
    ...(status.erasures?.unacknowledged.length ? [renderUnacknowledged(status.erasures)] : []),
    renderTable(['part', 'name', 'state'], parts),
    renderTable(['table', 'contract', 'unclassified columns'], status.contracts.map(contractRow)),
    renderTable(['table', 'sink', 'raw', 'clean', 'position', 'staleness', 'objective'], sinks.map(sinkRow)),
    ...waiting,
    ...rebuilding(status.rebuilds),
    dead,
  ].join('\n');
}

function keysCell(keys: KeyStoreStatus | undefined): Cell {
  if (!keys) return mark('the key store does not answer', false);
  const { environment, overrides, provisional } = keys;
  const waiting = provisional === 0 ? '' : `, ${provisional} destroyed keys wait for \`lethe keys turn\``;
  const taken = overrides.length === 0 ? '' : `, OVERRIDES: ${overrides.join(', ')}`;
  return mark(`${environment}${taken}${waiting}`, taken === '');
}

function erasuresCell(erasures: ErasureStatus): Cell {
  return mark(erasuresText(erasures), erasures.needsPerson === 0 && erasures.alarms.length === 0);
}

function accessCell({ access, environment }: KeyStoreStatus): Cell {
  const { open, openGlass } = access;
  return mark(accessText(access), openGlass === 0 && !(open && environment === 'production'));
}

function rebuilding(rebuilds: readonly RebuildStatus[]): string[] {
  if (rebuilds.length === 0) return [];
  const rows = rebuilds.map((rebuild) => [rebuild.table, rebuild.sink, whatToDo(rebuild)]);
  return [renderTable(['rebuilt', 'sink', 'state'], rows)];
}

function contractRow({ table, state, changed, unclassified, left }: ContractStatus): (string | Cell)[] {
  const columns = changed.length === 0 ? '' : `: ${changed.join(', ')}`;
  const says = {
    applied: 'applied',
    pending: `not yet protected${columns} (${left ? whatIsLeft(left) : ''})`,
    'not applied': `not applied${columns}`,
  };
  return [
    table,
    mark(says[state], state === 'applied'),
    unclassified.length === 0 ? '-' : unclassified.join(', '),
  ];
}

/** What is left of older contracts, and what becomes of it, for people. */
export function whatIsLeft({ inForce, olderStores, ...places }: OlderValues): string {
  const counts = Object.entries(places).flatMap(([place, count]) =>
    count === 0 ? [] : [`${place} ${count}`],
  );
  const older = counts.length === 0 ? '' : `; older ones in ${counts.join(', ')}`;
  const rebuilt = olderStores.length > 0;
  const until = rebuilt ? `; readers see ${olderStores.join(' and ')} until then` : '';
  if (inForce > 0) return `${rebuilt ? 'rebuilding: ' : ''}its rows are read again${older}${until}`;
  if (rebuilt) return `rebuilt: \`lethe apply\` puts it in its place${older}${until}`;
  if (counts.length === 0) return 'all read again: `lethe apply` merges what was replaced';
  return `replaced, to be merged by \`lethe apply\` and compacted${older}`;
}

function sinkRow(s: SinkStatus): (string | Cell)[] {
  const age = s.stalenessMs === undefined ? 'nothing yet' : `${(s.stalenessMs / 1000).toFixed(1)} s`;
  return [
    s.table,
    s.sink,
    String(s.rawLag),
    String(s.cleanLag),
    s.position?.lsn ?? '-',
    mark(age, s.met),
    `${s.objectiveMs / 1000} s`,
  ];
}

function mark(text: string, good: boolean): Cell {
  return { text, style: good ? 'green' : 'red' };
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} kB`;
}
