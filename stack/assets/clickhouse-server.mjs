// A ClickHouse HTTP server in a process of its own: libchdb is the whole server in one library, and its
// command line is called through libffi. The call returns only when the server ends.
// usage: node clickhouse-server.mjs COMPONENT LIBRARY DATA PORT CONFIG
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [component, library, data, port, config] = process.argv.slice(2);
if (config === undefined) {
  console.error('usage: clickhouse-server.mjs COMPONENT LIBRARY DATA PORT CONFIG');
  process.exit(2);
}
const { open, load, DataType } = createRequire(join(component, 'package.json'))('ffi-rs');
open({ library: 'chdb', path: library });
const call = (funcName, retType, paramsType, paramsValue) =>
  load({ library: 'chdb', funcName, retType, paramsType, paramsValue });

// A query that never ends keeps the server in its loop.
const hold =
  'SELECT sleepEachRow(3) FROM system.numbers' +
  ' SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1 FORMAT Null';
const args = [
  'clickhouse-local', // the name of the program: without it the first option is taken for it, and lost
  `--config-file=${config}`,
  `--path=${data}`,
  `--http_port=${port}`,
  '--listen_host=127.0.0.1',
  '--query',
  `SYSTEM START LISTEN HTTP; ${hold}`,
];
const result = call(
  'chdb_query_cmdline',
  DataType.External,
  [DataType.I32, DataType.StringArray],
  [args.length, args],
);
const error = call('chdb_result_error', DataType.String, [DataType.External], [result]);
console.error(error || 'the server ended without an error');
process.exit(1);
