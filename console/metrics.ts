import { Gauge, Registry } from 'prom-client';
import type { Health } from '../cli/health.ts';

/** The text format of Prometheus, https://prometheus.io/docs/instrumenting/exposition_formats/. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE;

type Labels = Readonly<Record<string, string>>;

/**
 * What health says, as gauges in the text format of Prometheus. Labels are names of tables, sinks, groups and codes: never a value of a
 * row, an id of a person, or the name of a request, which whoever files it chooses. What is not known is left out, not told as 0.
 */
export async function metricsOf(health: Health): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, values: readonly (readonly [number | undefined, Labels])[]) => {
    const labelNames = [...new Set(values.flatMap(([, labels]) => Object.keys(labels)))];
    const made = new Gauge({ name: `lethe_${name}`, help, labelNames, registers: [registry] });
    for (const [value, labels] of values) if (value !== undefined) made.set(labels, value);
  };
  const one = (name: string, help: string, value: number): void => gauge(name, help, [[value, {}]]);
  const { connector, slot, sinks, deadLetters, parked, erasures } = health;

  one('healthy', '1 if nothing is wrong, as /health says it', Number(health.healthy));
  one('alarms', 'What stands as an ALARM in lethe status, of the tables alone', health.alarms.length);
  one('connector_running', '1 if the connector and its task run', Number(connector.state === 'RUNNING'));
  one('slot_active', '1 if somebody reads the replication slot', Number(slot.active));
  one('slot_lost', '1 if the replication slot was lost or is missing', Number(isLost(slot.wal)));
  one('slot_lag_bytes', 'WAL that the replication slot has not confirmed', slot.lagBytes);
  gauge(
    'group_lag_records',
    'Records that a consumer group has still to read',
    health.groups.map(({ group, lag }) => [lag, { group }]),
  );
  gauge(
    'staleness_seconds',
    'Age of the newest change that a store has of a table; 0 if it has all',
    sinks.map(({ sink, table, stalenessMs }) => [seconds(stalenessMs), { sink, table }]),
  );
  gauge(
    'staleness_objective_seconds',
    'How old a store may be, by the contract',
    sinks.map(({ sink, table, objectiveMs }) => [seconds(objectiveMs), { sink, table }]),
  );
  gauge(
    'dead_letters',
    'Dead letters that are open',
    deadLetters.map(({ count, table, code, stage }) => [count, { table, code, stage }]),
  );
  gauge(
    'parked_records',
    'Records that wait for rows which their paths lead to',
    parked.map(({ count, table }) => [count, { table }]),
  );
  if (erasures) {
    one('erasures_open', 'Requests of erasures that are not answered', erasures.open);
    one('erasures_needing_a_person', 'Requests that stopped until somebody helps', erasures.needsPerson);
    one('erasures_awaiting_approval', 'Requests that nobody has approved yet', erasures.waitForApproval);
    one('erasures_near_deadline', 'Requests whose deadline is near or has passed', erasures.nearDeadline);
    one(
      'erasure_notices_overdue',
      'Recipients who have not acknowledged an erasure in time',
      erasures.unacknowledged,
    );
    gauge(
      'erasure_oldest_open_age_seconds',
      'Since the oldest open request was received; 0 if none is open',
      [[seconds(erasures.oldestOpenMs), {}]],
    );
  }
  return await registry.metrics();
}

function isLost(wal: string): boolean {
  return wal === 'lost' || wal === 'missing';
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
