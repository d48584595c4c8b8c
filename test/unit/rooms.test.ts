import { describe, expect, it } from 'vitest';
import { projectText, trackedFiles } from '../support/project-tree.ts';
import { forbiddenImports } from '../support/room-imports.ts';

const sources = trackedFiles().filter((path) => path.endsWith('.ts'));

describe('rooms', () => {
  it('import only whom they may', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap((path) => forbiddenImports(path, projectText(path)))).toEqual([]);
  });

  const violations: readonly [path: string, source: string][] = [
    ['schemas/config.ts', "import { createLog } from '../pipeline/log.ts';"],
    ['stack/stack.ts', "import { LetheError } from '../schemas/errors.ts';"],
    ['pipeline/sink-processor.ts', "import type { KeyStore } from '../keys/key-store.ts';"],
    ['keys/ciphertext.ts', "import { mask } from '../transforms/column-action.ts';"],
    ['connectors/postgres/catalog.ts', "import { quote } from '../../sinks/clickhouse/sql.ts';"],
    ['transforms/row-plan.ts', "export * from '../connectors/check-table.ts';"],
    ['sinks/clickhouse/rows.ts', "import {\n  a,\n  b,\n} from '../../transforms/event-id.ts';"],
    ['sinks/elasticsearch/send.ts', "const { run } = await import('../../cli/run.ts');"],
    ['erasure/saga.ts', "import '../sinks/endpoint.ts';"],
    ['verify/compare.ts', "import { PostgresKeyStore } from '../keys/postgres-key-store.ts';"],
    ['verify/compare.ts', "import { deriveDataset } from '../schemas/dataset.ts';"],
    ['verify/rules/kind.ts', "import { type ValueKind } from '../../schemas/value-kind.ts';"],
    ['cli/main.ts', "import { acquireStack } from '../test/support/stack.ts';"],
    ['kitchen/sink.ts', "import { x } from './y.ts';"],
  ];
  it.each(violations)('finds the forbidden import in %s: %s', (path, source) => {
    expect(forbiddenImports(path, source)).toHaveLength(1);
  });

  const allowed: readonly [path: string, source: string][] = [
    [
      'sinks/clickhouse/sink.ts',
      "import type { Sink } from '../../pipeline/sink.ts';\nimport { x } from '../endpoint.ts';",
    ],
    ['verify/rules/kind.ts', "import type { ValueKind } from '../../schemas/value-kind.ts';"],
    ['cli/pipeline.ts', "import { createTableTransform } from '../transforms/table-transform.ts';"],
    ['test/unit/a.test.ts', "import { Counters } from '../../pipeline/counters.ts';\nimport pg from 'pg';"],
    [
      'schemas/names.ts',
      "import { createHash } from 'node:crypto';\nconst text = 'taken from'; // '../keys/x.ts'",
    ],
    ['vitest.config.ts', "import { defineConfig } from 'vitest/config';"],
  ];
  it.each(allowed)('lets pass what %s may do: %s', (path, source) => {
    expect(forbiddenImports(path, source)).toEqual([]);
  });
});
