import { rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PartFolder } from '../part-folder.ts';

/** Options that every JVM here is given. `heap` is `[initial, largest]` as the JVM writes it. */
export function javaOptions(folder: PartFolder, heap: readonly [string, string]): string[] {
  return [
    `-Xms${heap[0]}`,
    `-Xmx${heap[1]}`,
    '-XX:+ExitOnOutOfMemoryError', // a server that limps is worse than one that is restarted
    '-XX:-UsePerfData',
    `-XX:ErrorFile=${join(folder.root, 'crash-%p.log')}`,
    '-Djava.awt.headless=true',
    '-Dfile.encoding=UTF-8',
    `-Djava.io.tmpdir=${folder.tmp}`,
  ];
}

/** Empties the folder for temporary files: a killed JVM leaves its unpacked native libraries there. */
export function clearTmp(folder: PartFolder): void {
  rmSync(folder.tmp, { recursive: true, force: true });
  mkdirSync(folder.tmp, { recursive: true });
}

/** Writes a log4j2 configuration: everything at INFO on the console, the named loggers at their levels. */
export function writeLog4j(folder: PartFolder, levels: Readonly<Record<string, string>>): string {
  const path = join(folder.conf, 'log4j2.xml');
  const loggers = Object.entries(levels).map(
    ([name, level]) => `    <Logger name="${name}" level="${level}"/>`,
  );
  writeFileSync(
    path,
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<Configuration status="WARN">',
      '  <Appenders><Console name="out"><PatternLayout pattern="[%d] %p %m (%c{1})%n"/></Console></Appenders>',
      '  <Loggers>',
      '    <Root level="INFO"><AppenderRef ref="out"/></Root>',
      ...loggers,
      '  </Loggers>',
      '</Configuration>',
      '',
    ].join('\n'),
  );
  return `-Dlog4j2.configurationFile=${pathToFileURL(path).href}`;
}

/** Text of a `.properties` file. */
export function properties(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}
