import { setTimeout as sleep } from 'node:timers/promises';
import { incomplete } from '../../erasure/incomplete.ts';
import type { ScannedPlace } from '../../erasure/inventory.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { Canary } from '../../verify/canary.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { type PlaceReport, scanForCanaries } from '../../verify/scan.ts';
import { cleanSubject, connectorName } from '../../schemas/names.ts';
import { countMarks, removeBySubject, type StoreLook } from './by-subject.ts';
import { datasetsOf, type ErasureContext, keysIn, typesOf } from './context.ts';
import { eventIdsOf } from './event-ids.ts';
import { settleParked } from './settle-parked.ts';
import { replacedCleared, storeLimitMs } from './stores-cleared.ts';

/** Records of others in each table that the scan must meet, for its word to count. */
const controlsOfATable = 5;
/**
 * What Kafka's compaction has replaced goes from the broker's disk a moment later, and what was replaced in a store when it is told to:
 * who finds something looks again before he says so.
 */
const [mostLooks, lookAgainMs] = [3, 2_000];
const storeFiles: ReadonlySet<string> = new Set(['elasticsearch files', 'clickhouse files']);

/**
 * Looks for the persons everywhere: in the stores by what says there whose a row is; then in one scan for all of them by what their keys are
 * called in every ciphertext, by the ids of their records' last changes, and by their values at the source. Where the same look meets no record
 * of anybody else, nobody can say that it reads what lies there: such a place counts as not scanned.
 */
export function verifiedWork(context: ErasureContext): StepWork {
  const { config, contracts } = context.project;
  return async (erasures, signal) => {
    const inStores = await removeBySubject(context, erasures, { signal, limitMs: storeLimitMs });
    const others = inStores.reduce((sum, look) => sum + look.found, 0);
    // Who finds some here finds none the next time.
    if (others > 0) throw incomplete('rows in the stores that came to be there meanwhile', others);
    const canaries = erasures.flatMap(canariesOf);
    const places = pipelinePlaces(
      config,
      contracts.map(({ contract }) => contract),
      { logs: context.logs },
    );
    const onPlace = (name: string) => context.say(`scanning ${name}`);
    // No record of anybody comes to the latter: there other things are known to be.
    const ofRecords = places.filter(({ name }) => !textPlaces.has(name));
    const ofTexts = places.filter(({ name }) => textPlaces.has(name));
    const recordControls = await controlsFor(context, erasures);
    const textual = textControls(context, erasures);
    const look = async () => ({
      at: new Date().toISOString(),
      reports: [
        ...(await scanForCanaries({ places: ofRecords, canaries, controls: recordControls, onPlace })),
        ...(await scanForCanaries({ places: ofTexts, canaries, controls: textual, onPlace })),
      ],
    });
    let { at, reports } = await look();
    const finds = () => reports.filter((report) => report.found > 0);
    for (let looks = 1; looks < mostLooks && finds().length > 0; looks++) {
      if (finds().some(({ place }) => storeFiles.has(place))) {
        context.say('clearing the stores’ disks of what was replaced');
        await replacedCleared(context, erasures, { signal, limitMs: storeLimitMs });
      } else await sleep(lookAgainMs, undefined, { signal });
      ({ at, reports } = await look());
    }
    const found = finds();
    if (found.length > 0) {
      const count = found.reduce((sum, report) => sum + report.found, 0);
      throw incomplete(found.map(describe).join('; '), count);
    }
    // Sealed as they are the scan cannot tell whose they are. Who finds one here finds none the next time.
    const waiting = await settleParked(context, erasures, typesOf(erasures));
    if (waiting > 0) throw incomplete('rows that came to wait meanwhile', waiting);
    return erasures.map((erasure) => {
      const places = [
        ...reports.map((report) => placeOf(report, canariesOf(erasure).length, at)),
        ...inStores.map((look) => storePlace(look, countMarks(erasure), at)),
      ];
      const scanned = places.filter(({ why }) => why === undefined);
      const bytes = reports.reduce((sum, report) => sum + report.bytes, 0);
      const evidence = { places: places.length, scanned: scanned.length, found: 0, bytes };
      return { evidence, inventory: { ...erasure.inventory, places } };
    });
  };
}

/** What is looked for of a person. The finding's table is the request's name: it may be said. */
function canariesOf({ request, inventory: { keyId, values } }: OpenErasure): Canary[] {
  const own = values.map(({ table, column, bytes }): Canary => {
    const action = column === eventColumn ? 'unnamed' : 'encrypt';
    return { table: request.id, column: `${table}.${column}`, action, bytes: [Buffer.from(bytes, 'base64')] };
  });
  const key = keyId?.replaceAll('-', '');
  if (key === undefined) return own;
  return [...own, { table: request.id, column: 'key', action: 'encrypt', bytes: [Buffer.from(key, 'hex')] }];
}

/** What the inventory calls the id of a record's last change. */
export const eventColumn = '_lethe event';

/** Ids of the last changes of records of others: they are there, in every place that records come to. */
async function controlsFor(context: ErasureContext, erasures: readonly OpenErasure[]): Promise<Canary[]> {
  const { config } = context.project;
  const controls: Canary[] = [];
  for (const dataset of datasetsOf(context, typesOf(erasures))) {
    const own = keysIn(erasures, dataset.table);
    const others = await withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ key: string }>(
        `select record_key as key from lethe_erasure.records where dataset = $1 and record_key <> all($2) and gone_at is null limit $3`,
        [dataset.table, own, controlsOfATable],
      );
      return rows.map(({ key }) => key);
    });
    for (const id of (await eventIdsOf(config, dataset, others)).values()) {
      controls.push({ table: dataset.table, column: 'control', action: 'keep', bytes: [Buffer.from(id)] });
    }
  }
  return controls;
}

const textPlaces: ReadonlySet<string> = new Set(['schema registry', 'connect', 'key store', 'logs']);

/** Names that stand in the registry, in Connect, in the key store's database and in Lethe's logs. */
function textControls(
  { project: { config, datasets } }: ErasureContext,
  erasures: readonly OpenErasure[],
): Canary[] {
  const texts = [
    ...datasets.map(({ table }) => cleanSubject(config, table)),
    connectorName(config),
    ...erasures.map(({ request }) => request.subject.digest.toString('hex')),
    '"name":"lethe"',
  ];
  return texts.map((text) => ({
    table: 'control',
    column: 'name',
    action: 'keep',
    bytes: [Buffer.from(text)],
  }));
}

function placeOf(report: PlaceReport, asked: number, at: string): ScannedPlace {
  const { place, found, controls, records, files, bytes, problems } = report;
  const why =
    problems.length > 0
      ? `could not be read to its end: ${problems.join('; ')}`
      : records + files === 0
        ? 'there was nothing to read'
        : controls === 0
          ? 'nothing that is known to be there was met: nobody can say that what lies there is read'
          : undefined;
  return { place, asked, found, controls, records, files, bytes, at, ...(why === undefined ? {} : { why }) };
}

/** Nothing was found: else nobody comes here. */
function storePlace(look: StoreLook, asked: number, at: string): ScannedPlace {
  const { place, found, controls, records, blind } = look;
  const why =
    records === 0
      ? 'there was nothing to read'
      : blind.length > 0
        ? `nobody whose rows are known to be there was met in ${blind.join(', ')}`
        : undefined;
  const seen = { place, asked, found, controls, records, files: 0, bytes: 0, at };
  return why === undefined ? seen : { ...seen, why };
}

function describe({ place, findings }: PlaceReport): string {
  const first = findings[0];
  return first ? `${place} (${first.table}, ${first.column}, ${first.where})` : place;
}
