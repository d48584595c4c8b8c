import type { Config } from '../../schemas/config.ts';
import { KafkaCluster } from '../kafka/cluster.ts';
import { committedRecords } from '../kafka/topic-reader.ts';
import type { Place } from '../scan.ts';

/** Topics read record by record as any consumer reads them: keys, values, names and values of headers. */
export function kafkaTopicsPlace(
  config: Pick<Config, 'kafka'>,
  name: string,
  topics: readonly string[],
): Place {
  return {
    name,
    search: async (search) => {
      const cluster = new KafkaCluster(config.kafka);
      try {
        for (const topic of topics) {
          const partitions = await cluster.partitions(topic);
          if (partitions.length === 0) search.problem(`there is no topic ${topic}`);
          for (const at of partitions) {
            for await (const record of committedRecords(cluster, at)) {
              search.records();
              const where = `${topic}-${at.partition} offset ${record.offset}`;
              if (record.key) search.bytes(`${where} key`, record.key);
              if (record.value) search.bytes(`${where} value`, record.value);
              for (const [i, header] of record.headers.entries()) {
                search.bytes(`${where} name of header ${i}`, header.key);
                if (header.value) search.bytes(`${where} header ${i}`, header.value);
              }
            }
          }
        }
      } finally {
        await cluster.close();
      }
    },
  };
}
