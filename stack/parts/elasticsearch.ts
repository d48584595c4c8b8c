import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentPath } from '../cache/component.ts';
import { stackVersions } from '../versions.ts';
import { classArchiveOptions } from './class-archive.ts';
import { clearTmp, javaOptions } from './java-server.ts';
import { type Part, type PartContext, READY_REQUEST_MS } from './part.ts';

/** One node of Elasticsearch without its security module: on the loopback interface only. */
export const elasticsearchPart: Part = {
  name: 'elasticsearch',
  version: stackVersions().elasticsearch.version,
  needs: [],
  ports: ['elasticsearch', 'elasticsearchTransport'],
  stopSignal: 'SIGTERM',
  stopLimitMs: 40_000,
  readyLimitMs: 240_000,
  prepare: (context) => {
    clearTmp(context.folder);
    writeFileSync(join(context.folder.conf, 'elasticsearch.yml'), settings(context));
    writeFileSync(join(context.folder.conf, 'log4j2.properties'), LOGGING);
    return Promise.resolve();
  },
  command: (context) => {
    const component = componentPath(context.components.elasticsearch);
    const home = join(component, 'home');
    return {
      command: context.java,
      args: [
        ...javaOptions(context.folder, ['512m', '512m']),
        ...classArchiveOptions(context, context.components.elasticsearch),
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1', // a third of the start time of the full compiler
        '-Xss1m',
        '-Djna.nosys=true',
        '-Dlog4j.shutdownHookEnabled=false',
        '-Dlog4j2.disable.jmx=true',
        '-Dlog4j2.formatMsgNoLookups=true',
        '-Djava.locale.providers=SPI,COMPAT',
        '-Dio.netty.noUnsafe=true',
        '-Dio.netty.recycler.maxCapacityPerThread=0',
        `-Des.path.home=${home}`,
        '-Des.distribution.type=zip',
        `--module-path=${join(home, 'lib')}`,
        '--add-modules=jdk.net,ALL-MODULE-PATH',
        `--class-path=${join(component, 'launcher.jar')}`,
        'EsLauncher',
        home,
        context.folder.conf,
      ],
      cwd: context.folder.root,
    };
  },
  isReady: async (context) => {
    const url = `http://127.0.0.1:${context.ports.elasticsearch}/_cluster/health?wait_for_status=yellow&timeout=1s`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(READY_REQUEST_MS) });
    return answer.ok && !((await answer.json()) as { timed_out: boolean }).timed_out;
  },
};

function settings(context: PartContext): string {
  const { data, root } = context.folder;
  return `${JSON.stringify(
    {
      'cluster.name': 'lethe',
      'node.name': 'lethe-1',
      'path.data': data,
      'path.logs': join(root, 'logs'),
      'path.repo': [join(root, 'snapshots')],
      'network.host': '127.0.0.1',
      'http.port': context.ports.elasticsearch,
      'transport.port': context.ports.elasticsearchTransport,
      'discovery.type': 'single-node',
      // With the serial collector the heap looks full until it is: the real-memory breaker would refuse everything.
      'indices.breaker.total.use_real_memory': false,
      'node.store.allow_mmap': false,
      'cluster.routing.allocation.disk.threshold_enabled': false,
    },
    null,
    2,
  )}\n`;
}

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;
