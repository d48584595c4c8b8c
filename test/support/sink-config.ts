import { randomBytes } from 'node:crypto';
import { type Config, configShape } from '../../schemas/config.ts';

/** A configuration of a pipeline of its own; the endpoints that a test does not name are never called. */
export function testConfig(stores: Pick<Config, 'elasticsearch' | 'clickhouse'>): Config {
  return configShape.parse({
    name: `t${randomBytes(5).toString('hex')}`,
    postgres: { url: 'postgres://nobody@127.0.0.1:1/none' },
    kafka: { brokers: ['127.0.0.1:1'] },
    connect: { url: 'http://127.0.0.1:1' },
    registry: { url: 'http://127.0.0.1:1' },
    keys: {
      url: 'postgres://nobody@127.0.0.1:1/none',
      master: { kind: 'local', file: '/nowhere/master.json' },
    },
    ...stores,
  });
}
