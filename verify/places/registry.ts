import { askText, type Endpoint } from '../http.ts';
import type { Place } from '../scan.ts';

/** Every version of every subject's schema, deleted ones too where the registry shows them. */
export function registryPlace(endpoint: Endpoint): Place {
  const what = 'the schema registry';
  return {
    name: 'schema registry',
    search: async (search) => {
      const get = async (path: string): Promise<string> => {
        const text = await askText(endpoint, what, { path });
        search.text(path, text);
        return text;
      };
      for (const subject of JSON.parse(await get('/subjects?deleted=true')) as string[]) {
        const path = `/subjects/${encodeURIComponent(subject)}/versions`;
        for (const version of JSON.parse(await get(`${path}?deleted=true`)) as number[]) {
          await get(`${path}/${version}?deleted=true`);
          search.records();
        }
      }
    },
  };
}
