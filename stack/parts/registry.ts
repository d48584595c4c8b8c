import { join } from 'node:path';
import { componentPath } from '../cache/component.ts';
import { stackVersions } from '../versions.ts';
import { classArchiveOptions } from './class-archive.ts';
import { clearTmp, javaOptions } from './java-server.ts';
import { type Part, type PartContext, READY_REQUEST_MS } from './part.ts';
import { postgresClient } from './postgres.ts';

const DATABASE = 'lethe_registry';

/** Apicurio Registry, which keeps its schemas in a database of its own in the stack's Postgres. */
export const registryPart: Part = {
  name: 'registry',
  version: stackVersions().registry.version,
  needs: ['postgres'],
  ports: ['registry', 'registryManagement'],
  stopSignal: 'SIGTERM',
  stopLimitMs: 40_000,
  readyLimitMs: 240_000,
  prepare: async (context) => {
    clearTmp(context.folder);
    await makeDatabase(context);
  },
  command: (context) => {
    const home = componentPath(context.components.registry);
    return {
      command: context.java,
      args: [
        ...javaOptions(context.folder, ['64m', '256m']),
        ...classArchiveOptions(context, context.components.registry),
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
        '-Dquarkus.http.host=127.0.0.1',
        `-Dquarkus.http.port=${context.ports.registry}`,
        '-Dquarkus.management.host=127.0.0.1',
        `-Dquarkus.management.port=${context.ports.registryManagement}`,
        '-Dquarkus.http.access-log.enabled=false',
        '-Dapicurio.rest.deletion.artifact.enabled=true',
        '-Dapicurio.storage.kind=sql',
        '-Dapicurio.storage.sql.kind=postgresql',
        `-Dapicurio.datasource.url=jdbc:postgresql://127.0.0.1:${context.ports.postgres}/${DATABASE}`,
        `-Dapicurio.datasource.username=${DATABASE}`,
        // A Postgres that was restarted leaves dead connections in the pool: none of them may fail a request.
        '-Dquarkus.datasource.postgresql.jdbc.validate-on-borrow=true',
        '-Dquarkus.datasource.postgresql.jdbc.validation-query-sql=SELECT 1',
        '-Dapicurio.datasource.jdbc.initial-size=1',
        '-Dapicurio.datasource.jdbc.min-size=1',
        '-Dapicurio.datasource.jdbc.max-size=10',
        '-jar',
        join(home, `apicurio-registry-app-${stackVersions().registry.version}-runner.jar`),
      ],
      cwd: context.folder.root,
      // Not among the arguments, which every user of the machine can list.
      env: { APICURIO_DATASOURCE_PASSWORD: context.state.passwords.registryDatabase },
    };
  },
  isReady: async (context) => {
    const url = `http://127.0.0.1:${context.ports.registry}/apis/ccompat/v7/subjects`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(READY_REQUEST_MS) });
    return answer.ok && Array.isArray(await answer.json());
  },
};

async function makeDatabase(context: PartContext): Promise<void> {
  const client = postgresClient(context);
  await client.connect();
  try {
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [DATABASE]);
    const password = client.escapeLiteral(context.state.passwords.registryDatabase);
    await client.query(
      `${roles.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${DATABASE} LOGIN PASSWORD ${password}`,
    );
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`);
    await client.query(`REVOKE CONNECT ON DATABASE ${DATABASE} FROM PUBLIC`);
  } finally {
    await client.end();
  }
}
