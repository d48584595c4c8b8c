import { cleanAvroSchema } from '../../schemas/clean-schema.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { cleanSubject } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import type { HttpService } from '../../pipeline/http-service.ts';

/**
 * Whoever has the newest schema can read every record that compaction has kept, however old. FULL would also
 * refuse what a table's owner does every day, such as dropping a NOT NULL.
 */
const level = 'BACKWARD_TRANSITIVE';

/** The clean schemas, each under its subject with a compatibility level of its own; the global level is left alone. */
export function cleanSubjectResources(
  config: Pick<Config, 'name' | 'topics'>,
  datasets: readonly Dataset[],
  registry: HttpService,
  { rebuild }: { readonly rebuild: boolean },
): Resource[] {
  return datasets.map((dataset) => {
    const subject = cleanSubject(config, dataset.table);
    const schema = JSON.stringify(cleanAvroSchema(dataset));
    return steppedResource(`subject ${subject}`, 'registry', () =>
      inspect(subject, schema, registry, rebuild),
    );
  });
}

async function inspect(
  subject: string,
  schema: string,
  registry: HttpService,
  rebuild: boolean,
): Promise<Step[]> {
  const steps: Step[] = [];
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const body = { schemaType: 'AVRO', schema };
  const known = await registry.request('POST', path, body);
  if (known.status !== 200 && known.status !== 404) throw registry.failed(known, `look up ${subject}`);
  if (known.status === 404) {
    const versions = await registry.request('GET', `${path}/versions`);
    const existing = versions.status === 200 ? (versions.body as number[]) : [];
    const unreadable = await unreadableVersions(subject, existing, body, registry);
    const broken = await brokenHere(subject, existing, unreadable, registry);
    if (broken !== undefined && !rebuild) {
      return [
        refuse(
          `${subject}: the new schema cannot read what version ${broken} wrote`,
          'Run `lethe apply --rebuild`: the records are replaced by those of rows that are read again. Or make the change in steps that stay readable (a new column nullable, a type kept).',
        ),
      ];
    }
    const isCompatible = existing.length > 0 && broken === undefined && unreadable.length === 0;
    const what = isCompatible ? ', which reads all that older ones wrote' : '';
    const breaks =
      broken === undefined ? what : `, which cannot read what version ${broken} and older ones wrote`;
    const summary = `${subject}: ${existing.length === 0 ? 'first' : 'new'} schema${breaks}`;
    steps.push({
      change: { action: existing.length === 0 ? 'create' : 'update', summary },
      run: () => register(subject, path, body, registry, unreadable.length > 0),
    });
  }
  const config = await registry.request('GET', `/config/${encodeURIComponent(subject)}`);
  const current = (config.body as { compatibilityLevel?: unknown } | undefined)?.compatibilityLevel;
  if (config.status !== 200 || current !== level) {
    steps.push({
      change: { action: 'update', summary: `${subject}: compatibility ${level}` },
      run: () => setLevel(subject, level, registry),
    });
  }
  return steps;
}

/** The versions that the registry calls incompatible under the subject's level, the newest first. */
async function unreadableVersions(
  subject: string,
  versions: readonly number[],
  body: unknown,
  registry: HttpService,
): Promise<number[]> {
  const found: number[] = [];
  for (const version of versions.toSorted((a, b) => b - a)) {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const answer = (await registry.expect('POST', path, body)) as { is_compatible?: unknown } | undefined;
    if (answer?.is_compatible !== true) found.push(version);
  }
  return found;
}

/** The newest version that the newest schema can read and the new one cannot: with the others it was broken from before. */
async function brokenHere(
  subject: string,
  versions: readonly number[],
  unreadable: readonly number[],
  registry: HttpService,
): Promise<number | undefined> {
  if (unreadable.length === 0) return undefined;
  const newest = Math.max(...versions);
  const path = `/subjects/${encodeURIComponent(subject)}/versions/${newest}`;
  const { schema } = (await registry.expect('GET', path)) as { schema: string };
  const body = { schemaType: 'AVRO', schema };
  const before = new Set(await unreadableVersions(subject, unreadable, body, registry));
  return unreadable.find((version) => !before.has(version));
}

async function setLevel(subject: string, compatibility: string, registry: HttpService): Promise<void> {
  await registry.expect('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility });
}

/** A schema that breaks with older ones is let in by a level that asks nothing, which stands no longer than that. */
async function register(
  subject: string,
  path: string,
  body: unknown,
  registry: HttpService,
  breaks: boolean,
): Promise<void> {
  if (!breaks) return await post(subject, path, body, registry);
  await setLevel(subject, 'NONE', registry);
  try {
    await post(subject, path, body, registry);
  } finally {
    await setLevel(subject, level, registry);
  }
}

async function post(subject: string, path: string, body: unknown, registry: HttpService): Promise<void> {
  const answer = await registry.request('POST', `${path}/versions`, body);
  if (answer.status === 200) return;
  if (answer.status === 409) {
    throw new LetheError('PLAN_REFUSED', `${subject}: the registry calls the new schema incompatible`, {
      fix: 'Run `lethe plan`: it names the version.',
    });
  }
  throw registry.failed(answer, `register ${subject}`);
}
