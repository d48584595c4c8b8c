import type { PartName } from '../part-name.ts';
import { clickhousePart } from './clickhouse.ts';
import { connectPart } from './connect.ts';
import { elasticsearchPart } from './elasticsearch.ts';
import { kafkaPart } from './kafka.ts';
import type { Part } from './part.ts';
import { postgresPart } from './postgres.ts';
import { registryPart } from './registry.ts';

/** Every part of the stack by its name. */
export const PARTS: Readonly<Record<PartName, Part>> = {
  postgres: postgresPart,
  kafka: kafkaPart,
  connect: connectPart,
  registry: registryPart,
  elasticsearch: elasticsearchPart,
  clickhouse: clickhousePart,
};
