import { describe, expect, it } from 'vitest';
import type { Health } from '../../../cli/health.ts';
import { healthEndpoints } from '../../../console/health-endpoints.ts';
import { serveHttp } from '../../../console/http-server.ts';
import { metricsOf } from '../../../console/metrics.ts';

const health: Health = {
  pipeline: 'shop',
  connector: { name: 'shop', state: 'RUNNING', tasks: ['RUNNING'], phase: 'streaming' },
  slot: { name: 'shop', active: true, wal: 'reserved', rewound: false, lagBytes: 4096 },
  groups: [{ group: 'shop.transform', lag: 7 }],
  sinks: [
    sink({ sink: 'clickhouse', stalenessMs: 1500 }),
    // Nothing has come yet: how old it is, nobody can say.
    sink({ sink: 'elasticsearch', stalenessMs: undefined }),
  ],
  deadLetters: [{ table: 'public.orders', code: 'ROW_NO_SUBJECT', stage: 'transform', count: 3 }],
  parked: [{ table: 'public.orders', count: 2 }],
  healthy: true,
  alarms: [],
  erasures: {
    open: 2,
    needsPerson: 1,
    waitForApproval: 1,
    oldestOpenMs: 86_400_000,
    nearDeadline: 1,
    unacknowledged: 4,
  },
};

describe('metrics', () => {
  it('tell what health says, in seconds, bytes and records', async () => {
    const values = samples(await metricsOf(health));
    expect(values).toEqual({
      lethe_healthy: 1,
      lethe_alarms: 0,
      lethe_connector_running: 1,
      lethe_slot_active: 1,
      lethe_slot_lost: 0,
      lethe_slot_lag_bytes: 4096,
      'lethe_group_lag_records{group="shop.transform"}': 7,
      'lethe_staleness_seconds{sink="clickhouse",table="public.orders"}': 1.5,
      'lethe_staleness_objective_seconds{sink="clickhouse",table="public.orders"}': 30,
      'lethe_staleness_objective_seconds{sink="elasticsearch",table="public.orders"}': 30,
      'lethe_dead_letters{table="public.orders",code="ROW_NO_SUBJECT",stage="transform"}': 3,
      'lethe_parked_records{table="public.orders"}': 2,
      lethe_erasures_open: 2,
      lethe_erasures_needing_a_person: 1,
      lethe_erasures_awaiting_approval: 1,
      lethe_erasures_near_deadline: 1,
      lethe_erasure_notices_overdue: 4,
      lethe_erasure_oldest_open_age_seconds: 86_400,
    });
  });

  it('leave out what the key store did not answer', async () => {
    const { erasures: _, ...rest } = health;
    const names = Object.keys(samples(await metricsOf(rest)));
    expect(names.filter((name) => name.includes('erasure'))).toEqual([]);
    expect(names).toContain('lethe_healthy');
  });

  it('say that a slot is gone, and a connector does not run', async () => {
    const values = samples(
      await metricsOf({
        ...health,
        connector: { ...health.connector, state: 'FAILED' },
        slot: { ...health.slot, active: false, wal: 'missing' },
        healthy: false,
      }),
    );
    expect(values).toMatchObject({
      lethe_healthy: 0,
      lethe_connector_running: 0,
      lethe_slot_active: 0,
      lethe_slot_lost: 1,
    });
  });

  it('are answered with 200 where health is 503, as text that a Prometheus reads', async () => {
    const server = await serveHttp(
      { host: '127.0.0.1', port: 0 },
      healthEndpoints(async () => ({ ...health, healthy: false })),
    );
    try {
      expect((await fetch(`${server.url}/health`)).status).toBe(503);
      const answer = await fetch(`${server.url}/metrics`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(samples(await answer.text())).toMatchObject({ lethe_healthy: 0 });
    } finally {
      await server.close();
    }
  });
});

function sink(of: Pick<Health['sinks'][number], 'sink' | 'stalenessMs'>): Health['sinks'][number] {
  return {
    ...of,
    table: 'public.orders',
    rawLag: 0,
    cleanLag: 0,
    position: undefined,
    objectiveMs: 30_000,
    met: true,
  };
}

/** Every sample by its name and labels. */
function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
