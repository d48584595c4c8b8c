import type { Health } from '../cli/health.ts';
import { type Endpoint, Written } from './http-server.ts';
import { metricsOf, metricsType } from './metrics.ts';

/**
 * `GET /health`: what `lethe status --json` says, 503 where something is wrong. `GET /metrics`: the same as numbers for Prometheus, 200
 * whenever they could be read: what is wrong is said by them.
 */
export function healthEndpoints(read: () => Promise<Health>): Readonly<Record<string, Endpoint>> {
  return {
    '/health': async () => {
      const health = await read();
      return [health.healthy ? 200 : 503, health];
    },
    '/metrics': async () => [200, new Written(await metricsOf(await read()), metricsType)],
  };
}
