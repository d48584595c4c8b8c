import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { explainError } from '../../cli/explain-error.ts';
import { importContracts } from '../../cli/odcs-import.ts';
import { openProject } from '../../cli/project.ts';
import { checkTable } from '../../connectors/check-table.ts';
import { sourceObstacles } from '../../connectors/postgres/preflight.ts';
import { createPayloadSealer } from '../../keys/payload-sealer.ts';
import { CleanReader } from '../../pipeline/clean-reader.ts';
import { ContractRule } from '../../pipeline/contract-rule.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { Outages } from '../../pipeline/outage.ts';
import { refuse, steppedResource } from '../../pipeline/planned-steps.ts';
import { errorCodes, LetheError, safeReason } from '../../schemas/errors.ts';
import { FindingsError } from '../../schemas/findings-error.ts';
import { deadLetterCodes } from '../../schemas/playbooks.ts';
import { header } from '../../schemas/record-headers.ts';
import { avroType } from '../../schemas/registry.ts';
import { formatVersion } from '../../schemas/version.ts';
import { compileRows } from '../../sinks/clickhouse/rows.ts';
import { RowBinary } from '../../sinks/clickhouse/row-binary.ts';
import { compileDocuments } from '../../sinks/elasticsearch/documents.ts';
import { itemVerdict } from '../../sinks/elasticsearch/send.ts';
import { resolveEndpoint } from '../../sinks/endpoint.ts';
import { certificateFailures } from '../support/certificate-errors.ts';
import { accessFailures } from '../support/access-errors.ts';
import { catalogOf, configOf, contractOf, tableOf } from '../support/contract-fixture.ts';
import {
  codesByServers,
  errorSites,
  everythingOf,
  placesOf,
  provokedByServers,
} from '../support/error-sites.ts';
import { erasureFailures } from '../support/erasure-errors.ts';
import { sourceErasureFailures } from '../support/source-erasure-errors.ts';
import { masterKeyFailures } from '../support/master-key-errors.ts';
import { lookupFailures } from '../support/lookup-errors.ts';
import { made } from '../support/recorded-errors.ts';
import { removalFailures } from '../support/removal-errors.ts';
import { houseRules, odcsFile, richContract, spoilt } from '../support/spoilt-files.ts';
import { driverErrors, serverCases } from '../support/server-errors.ts';
import { soundSource } from '../support/sound-source.ts';
import { endlessReserve } from '../support/test-keys.ts';
import { at, change, everyKind, testDataset } from '../support/sink-datasets.ts';
import { extremeRows } from '../support/sink-values.ts';
import { misfits, rawRecord, recordCases, transformed } from '../support/transform-errors.ts';
import { goodConfig, goodContract, writeFiles } from './schemas/project-files.ts';

vi.mock('../../schemas/errors.ts', async (original) => {
  const { recorded } = await import('../support/recorded-errors.ts');
  return recorded(await original());
});

/** In every value there is; no name looks like it. */
const canary = 'zq7_err_canary 5f1e';
const codes = new Set<string>();
const places = new Set<string>();

/** Nothing that a logger could print of it holds the canary, whatever was caught and thrown on the way. */
function expectSilent(...values: unknown[]): void {
  for (const value of [...values, ...made]) {
    const printed = `${everythingOf(value)}\n${safeReason(value)}\n${explainError(value, true)}\n${explainError(value, false)}`;
    for (const form of [
      canary,
      Buffer.from(canary).toString('hex'),
      Buffer.from(canary).toString('base64'),
    ]) {
      expect(printed.includes(form), printed.replaceAll(canary, '<canary>')).toBe(false);
    }
  }
}

async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error;
  }
}

afterEach(() => {
  const all = made.splice(0);
  for (const error of all) {
    codes.add(error.code);
    for (const place of placesOf(error)) places.add(place);
  }
  expectSilent(...all);
});

describe('the engine', () => {
  it.each(Object.entries(recordCases(canary)))('quotes nothing of %s', async (_case, provoke) => {
    const outcomes = await provoke();
    expectSilent(...outcomes.map((o) => (o instanceof Error || o.kind !== 'clean' ? o : undefined)));
    for (const outcome of outcomes) {
      // An error of no code would stop a partition for good.
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(LetheError);
      else if (outcome.kind === 'failed') {
        codes.add(outcome.code);
        expect(deadLetterCodes).toContain(outcome.code);
      }
    }
    expect(outcomes.filter((o) => o instanceof Error || o.kind === 'failed')).toHaveLength(1);
  });

  it('has a record that is well, from which all the others differ', async () => {
    expect(await transformed([rawRecord(canary)])).toMatchObject([{ kind: 'clean' }]);
  });

  it.each(misfits())('names what does not fit together: %#', async (misfit) => {
    const error = await failureOf(misfit);
    expect(error).toBeInstanceOf(LetheError);
    expectSilent(error);
  });
});

describe('the sinks', () => {
  const dataset = everyKind('public.t');
  const good = { ...extremeRows[2], id: 1n };
  const wrong = [
    canary,
    0.5,
    5n,
    true,
    Buffer.from(canary),
    [Buffer.from(canary)],
    Number.NaN,
    null,
    {
      [canary]: canary,
    },
    10n ** 20n,
    10n ** 17n,
    1e9,
    '9'.repeat(90),
    '9999-01-01T00:00:00Z',
  ];
  const key = testDataset(
    'public.k',
    ['day', 'at'],
    [
      { name: 'day', type: 'date' },
      { name: 'at', type: 'timestamp' },
    ],
  );

  it('quote no value that is of another type, or has no form in the store', async () => {
    const [rows, documents] = [compileRows(dataset), compileDocuments(dataset)];
    const write = compileRows(key);
    for (const column of dataset.columns) {
      for (const value of wrong) {
        const one = change(dataset, ['1'], at(1), { ...good, [column.name]: value });
        const outcomes = [
          await failureOf(() => rows.write(new RowBinary(64), one)),
          await failureOf(() => void documents(one)),
        ];
        for (const error of outcomes.filter((e) => e !== undefined)) expect(error).toBeInstanceOf(LetheError);
      }
    }
    for (const parts of [[canary], [canary, canary], ['2026-01-01', canary]]) {
      const error = await failureOf(() => write.write(new RowBinary(64), change(key, parts, at(1), null)));
      expect(error).toBeInstanceOf(LetheError);
    }
    expect(made.length).toBeGreaterThan(100);
  });

  it('give the verdict on a document without its text', () => {
    const verdict = itemVerdict(400, 'document_parsing_exception', 'alias');
    if (verdict.outcome === 'rejected') codes.add(verdict.code);
    expect(verdict).toEqual({ outcome: 'rejected', code: 'RECORD_REJECTED' });
  });

  it.each([
    { url: `http://me:${encodeURIComponent(canary)}@h?x=${encodeURIComponent(canary)}` },
    { url: `http://me:${encodeURIComponent(canary)}@h`, password: canary, tls: true },
  ])('quote no password of an address: %#', async (section) => {
    expect(await failureOf(() => resolveEndpoint('clickhouse', section))).toBeInstanceOf(LetheError);
  });
});

describe('servers', () => {
  it.each(driverErrors(canary))('a driver’s error loses its text: %#', (translate) => {
    expectSilent(translate());
  });

  it.each(Object.entries(serverCases(canary)))('quote nothing through %s', async (_case, provoke) => {
    const error = await failureOf(provoke);
    expect(error).toBeInstanceOf(LetheError);
    expectSilent(error);
  });
});

describe('removals', () => {
  it.each(Object.entries(removalFailures(canary)))('quote nothing of %s', async (_case, provoke) => {
    expect(await failureOf(provoke)).toMatchObject({ code: 'SERVER_FAILED' });
  });
});

describe('the processors', () => {
  const version = formatVersion(at(1));
  const type = avroType({ type: 'record', name: 'r', fields: [{ name: 'a', type: 'long' }] });
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from(canary)]);
  it.each([
    { key: Buffer.from(canary), headers: {}, value: frame },
    { key: Buffer.from(canary), headers: { [header.version]: Buffer.from(canary) }, value: frame },
    { key: Buffer.from(canary), headers: { [header.version]: Buffer.from(version) }, value: frame },
    { key: Buffer.from(canary), headers: { [header.version]: Buffer.from(version) }, value: null },
    { key: Buffer.from(canary), headers: own(), value: frame },
    { key: Buffer.from(canary), headers: own(), value: Buffer.from(canary) },
  ])('quote nothing of a clean record that is none: %#', async (message) => {
    const reader = new CleanReader(async () => type);
    expect(await failureOf(() => reader.read('public.t', message as never))).toMatchObject({
      code: 'RECORD_MALFORMED',
    });
  });

  function own() {
    return { [header.version]: Buffer.from(version), [header.commitMs]: Buffer.from('1767225600123') };
  }

  it('tell what Kafka’s client logs, and what is refused, by names alone', async () => {
    const told: unknown[] = [];
    const log = { warn: (line: unknown) => told.push(line), info: () => {} } as never;
    const config = configOf({
      kafka: {
        brokers: ['127.0.0.1:1'],
        sasl: { mechanism: 'plain', username: 'me', password: canary },
      },
    });
    createKafka(config, 'test', new Outages(log)).logger().namespace('BrokerPool').error(canary, { canary });
    expectSilent(...told);
    expect(told).toHaveLength(1);
    const resource = steppedResource('x', 'kafka', async () => [refuse('it is there', 'Take it away.')]);
    expect(await failureOf(() => resource.apply([]))).toMatchObject({ code: 'PLAN_REFUSED' });
  });

  it('say of a record under a newer contract whose it is to write, and nothing of the record', async () => {
    const own = testDataset('public.t', ['id'], [{ name: 'id', type: 'text' }]);
    const history = [{ digest: own.digest, generation: 1 }];
    const newer = { ...change(own, [canary], at(1), { id: canary }), contract: 'newer' };
    const look = async () => [...history, { digest: 'newer', generation: 2 }];
    const rule = new ContractRule(own, { of: look, fresh: look });
    expect(await failureOf(() => rule.writable([newer]))).toMatchObject({ code: 'TABLE_HALTED' });
  });

  it('quote no payload and no key of the key store', async () => {
    const sealer = createPayloadSealer({ dataKeys: async () => [null] } as never, endlessReserve());
    expect(await failureOf(() => sealer.seal(Buffer.from(canary), 'topic'))).toMatchObject({
      code: 'KEY_STORE_INVALID',
    });
  });
});

describe('what fails elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-errors-'));
  const rooms: readonly (readonly [string, readonly (() => unknown)[]])[] = [
    ['lookups', lookupFailures(canary, folder)],
    ['master keys', masterKeyFailures(canary, folder)],
    ['erasures', erasureFailures(canary)],
    ['certificates', certificateFailures(canary)],
    ['erasing at the source', sourceErasureFailures(canary)],
    ['access', accessFailures(canary, folder)],
  ];

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(rooms.flatMap(([room, failures]) => failures.map((provoke) => [room, provoke] as const)))(
    'quotes no key, no secret, no row and nobody’s id: %s %#',
    async (_room, provoke) => {
      expectSilent(await failureOf(provoke), ...made);
      expect(made.length).toBeGreaterThan(0);
    },
  );
});

describe('lethe.yaml and contracts', () => {
  const open = async (config: string, contract: string) => {
    const folder = await writeFiles({ 'lethe.yaml': config, 'contracts/a.yaml': contract });
    return failureOf(() => openProject(join(folder, 'lethe.yaml')));
  };

  it.each([
    ...spoilt(goodConfig, canary),
    goodConfig.replace('app@127.0.0.1', `app:${encodeURIComponent(canary)}@127.0.0.1:x`),
    goodConfig.replace('/shop\n', `/shop?password=${encodeURIComponent(canary)}\n`),
    goodConfig.replace('http://127.0.0.1:9200', `http://u:${encodeURIComponent(canary)}@h:1\n  tls: true`),
    `${goodConfig}${canary}: 1\n`,
    `${goodConfig}"${canary}": 1\n"${canary}": 2\n`,
    goodConfig.replace('master.json', `"$\{env:UNSET_ON_PURPOSE} ${canary}"`),
    goodConfig.replace('master.json', `"$\{${canary}}"`),
  ])('no finding in a configuration quotes a value: %#', async (text) => {
    const error = await open(text, goodContract);
    expect(error).toBeInstanceOf(FindingsError);
    expectSilent(error);
  });

  it.each([
    ...spoilt(richContract, canary),
    richContract.replace('[active]', `{ "${canary}": "${canary}" }`),
    richContract.replace('action: encrypt', `action: mask\n    keepStart: "${canary}"`),
    richContract.replace(
      'action: encrypt',
      `action: paths\n    paths: { "${canary}": { action: "${canary}" } }`,
    ),
    richContract.replace('action: encrypt', `action: encrypt\n    "${canary}": "${canary}"`),
  ])('nor one in a contract: %#', async (text) => {
    const error = await open(goodConfig.replace(':5432/shop\n', ':1/shop\n'), text);
    expect(error).toBeInstanceOf(LetheError);
    expectSilent(error);
  });

  it.each([
    ...spoilt(houseRules, canary),
    houseRules.replace('[person.contact]', `["${canary}"]`),
    houseRules.replace('[public.customers]', `["${canary}"]`),
    houseRules.replace('sinks: [', `sinks: ["${canary}", `),
    houseRules.replace('mostShown: 2', `mostShown: "${canary}"`),
    houseRules.replace('person.birth:', `"${canary}":`),
    houseRules.concat(`"${canary}": 1\n`),
  ])('nor one in rules of the house: %#', async (text) => {
    const folder = await writeFiles({
      'lethe.yaml': `${goodConfig}rules: rules.yaml\n`,
      'rules.yaml': text,
      'contracts/a.yaml': goodContract,
    });
    const error = await failureOf(() => openProject(join(folder, 'lethe.yaml')));
    expect(error).toBeInstanceOf(FindingsError);
    expectSilent(error);
  });

  it.each([
    ...spoilt(odcsFile, canary),
    odcsFile.replace('[pii]', `["${canary}", { "${canary}": 1 }]`),
    odcsFile.replace('lethe.keepEnd', `"lethe.${canary}"`),
    odcsFile.replace('name: phone', 'name: email'),
  ])('nor one in a file of another standard: %#', async (text) => {
    const folder = await writeFiles({ 'theirs.yaml': text });
    const flags = { config: 'none', out: join(folder, 'contracts') };
    const error = await failureOf(() => importContracts([join(folder, 'theirs.yaml')], flags));
    // keepEnd is at fault in any case, unless it is what was taken away.
    if (text.includes('lethe.action') && text.includes('keepEnd'))
      expect(error).toBeInstanceOf(FindingsError);
    expectSilent(error);
  });

  it('nor one that compares it with its table', () => {
    const text = goodContract.concat(`where: [{ column: id, in: ["${canary}"] }]\n`);
    const findings = checkTable(contractOf(text), catalogOf(tableOf()));
    expect(findings.map(({ code }) => code)).toContain('CONDITION_TYPE');
    expectSilent(new FindingsError('CONTRACT_INVALID', findings));
  });

  it('nor does what stands in the way at the source', () => {
    const slot = { database: 'shop', plugin: 'pgoutput', active: true, wal_status: 'lost' };
    const facts = { ...soundSource, slot };
    const findings = sourceObstacles(facts as never, configOf()).map((obstacle) => ({
      ...obstacle,
      file: 'lethe.yaml',
      line: 1,
      field: 'postgres.url',
    }));
    expectSilent(new FindingsError('CONFIG_INVALID', findings));
  });
});

describe('every error', () => {
  /** Places that no case passes, and why they can hold no value. */
  const unpassed: readonly string[] = [
    // After two minutes: the connector's name and Connect's own word for its state.
    'neither starts nor stops',
  ];

  it('code was provoked', () => {
    expect(Object.keys(errorCodes).filter((code) => !codes.has(code) && !codesByServers.has(code))).toEqual(
      [],
    );
  });

  it('place that makes one was passed, here or with real servers', () => {
    const left = errorSites().filter(
      ({ file, place, text }) =>
        !places.has(place) && !provokedByServers.has(file) && !unpassed.some((words) => text.includes(words)),
    );
    expect(left.map(({ place, text }) => `${place} ${text.trim()}`)).toEqual([]);
  });
});
