import { cleanAvroSchema } from '../../schemas/clean-schema.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { cleanSubject } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import type { HttpService } from '../http-service.ts';

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
): Resource[] {
  return datasets.map((dataset) => {
    const subject = cleanSubject(config, dataset.table);
    const schema = JSON.stringify(cleanAvroSchema(dataset));
    return steppedResource(`subject ${subject}`, 'registry', () => inspect(subject, schema, registry));
  });
}

async function inspect(subject: string, schema: string, registry: HttpService): Promise<Step[]> {
  const steps: Step[] = [];
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const body = { schemaType: 'AVRO', schema };
  const known = await registry.request('POST', path, body);
  if (known.status !== 200 && known.status !== 404) throw registry.failed(known, `look up ${subject}`);
  if (known.status === 404) {
    const versions = await registry.request('GET', `${path}/versions`);
    const existing = versions.status === 200 ? (versions.body as number[]) : [];
    const broken = await incompatibleVersion(subject, existing, body, registry);
    if (broken !== undefined) {
      return [
        refuse(
          `${subject}: the new schema cannot read what version ${broken} wrote`,
          'Make the change in steps that stay readable (a new column nullable, a type kept), or rebuild the clean topic under another topics.prefix.',
        ),
      ];
    }
    steps.push({
      change: {
        action: existing.length === 0 ? 'create' : 'update',
        summary: `${subject}: ${existing.length === 0 ? 'first' : 'new'} schema`,
      },
      run: () => register(subject, path, body, registry),
    });
  }
  const config = await registry.request('GET', `/config/${encodeURIComponent(subject)}`);
  const current = (config.body as { compatibilityLevel?: unknown } | undefined)?.compatibilityLevel;
  if (config.status !== 200 || current !== level) {
    steps.push({
      change: { action: 'update', summary: `${subject}: compatibility ${level}` },
      run: async () => {
        await registry.expect('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: level });
      },
    });
  }
  return steps;
}

/** The first version that the registry calls incompatible under the subject's level. */
async function incompatibleVersion(
  subject: string,
  versions: readonly number[],
  body: unknown,
  registry: HttpService,
): Promise<number | undefined> {
  for (const version of versions) {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const answer = (await registry.expect('POST', path, body)) as { is_compatible?: unknown } | undefined;
    if (answer?.is_compatible !== true) return version;
  }
  return undefined;
}

async function register(subject: string, path: string, body: unknown, registry: HttpService): Promise<void> {
  const answer = await registry.request('POST', `${path}/versions`, body);
  if (answer.status === 200) return;
  if (answer.status === 409) {
    throw new LetheError('PLAN_REFUSED', `${subject}: the registry calls the new schema incompatible`, {
      fix: 'Run `lethe plan`: it names the version.',
    });
  }
  throw registry.failed(answer, `register ${subject}`);
}
