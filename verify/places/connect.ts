import { setTimeout as pause } from 'node:timers/promises';
import { ask, type Endpoint, isSuccess, readAll, refused } from '../http.ts';
import type { Place } from '../scan.ts';

/** While workers rebalance, or a connector starts, Connect answers 409 or 500; it answers well soon after. */
const busy = new Set([409, 500, 503]);
const what = 'Kafka Connect';
const busyMs = 30_000;
const pauseMs = 500;

/**
 * What Kafka Connect tells of its connectors: configuration, status with the traces of failed tasks, offsets. A
 * connector that is deleted while the others are read has nothing left to tell.
 */
export function connectPlace(endpoint: Endpoint): Place {
  return {
    name: 'connect',
    search: async (search) => {
      const all = '/connectors?expand=info&expand=status';
      const listed = (await patiently(endpoint, all)) ?? '{}';
      search.text(all, listed);
      for (const name of Object.keys(JSON.parse(listed) as Record<string, unknown>)) {
        search.records();
        const path = `/connectors/${encodeURIComponent(name)}`;
        for (const part of ['config', 'status', 'tasks', 'topics', 'offsets']) {
          const text = await patiently(endpoint, `${path}/${part}`);
          if (text === undefined) break;
          search.text(`${path}/${part}`, text);
        }
      }
    },
  };
}

/** The answer's text, asked again while Connect is busy; undefined when there is no such connector any more. */
async function patiently(endpoint: Endpoint, path: string): Promise<string | undefined> {
  const deadline = Date.now() + busyMs;
  for (;;) {
    const answer = await ask(endpoint, what, { path });
    const text = (await readAll(answer)).toString('utf8');
    if (isSuccess(answer)) return text;
    if (answer.statusCode === 404) return undefined;
    if (!busy.has(answer.statusCode ?? 0) || Date.now() > deadline) throw refused(what, answer);
    await pause(pauseMs);
  }
}
