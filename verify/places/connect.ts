import { askText, type Endpoint } from '../http.ts';
import type { Place } from '../scan.ts';

/** What Kafka Connect tells of its connectors: configuration, status with the traces of failed tasks, offsets. */
export function connectPlace(endpoint: Endpoint): Place {
  const what = 'Kafka Connect';
  return {
    name: 'connect',
    search: async (search) => {
      const get = async (path: string): Promise<string> => {
        const text = await askText(endpoint, what, { path });
        search.text(path, text);
        return text;
      };
      const all = JSON.parse(await get('/connectors?expand=info&expand=status')) as Record<string, unknown>;
      for (const name of Object.keys(all)) {
        search.records();
        const path = `/connectors/${encodeURIComponent(name)}`;
        for (const part of ['config', 'status', 'tasks', 'topics', 'offsets']) await get(`${path}/${part}`);
      }
    },
  };
}
