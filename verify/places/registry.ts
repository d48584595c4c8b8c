import { askText, askTextIfThere, type Endpoint } from '../http.ts';
import type { Place } from '../scan.ts';

/** Every version of every subject's schema, deleted ones too where the registry shows them. */
export function registryPlace(endpoint: Endpoint): Place {
  const what = 'the schema registry';
  return {
    name: 'schema registry',
    search: async (search) => {
      const get = async (path: string): Promise<string | undefined> => {
        const text = await askTextIfThere(endpoint, what, { path });
        if (text !== undefined) search.text(path, text);
        return text;
      };
      const all = '/subjects?deleted=true';
      const subjects = await askText(endpoint, what, { path: all });
      search.text(all, subjects);
      for (const subject of JSON.parse(subjects) as string[]) {
        const path = `/subjects/${encodeURIComponent(subject)}/versions`;
        // A subject that somebody deletes for good meanwhile has no versions.
        for (const version of JSON.parse((await get(`${path}?deleted=true`)) ?? '[]') as number[]) {
          if ((await get(`${path}/${version}?deleted=true`)) !== undefined) search.records();
        }
      }
    },
  };
}
