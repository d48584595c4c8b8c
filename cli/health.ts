import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { type Alarm, readAlarms } from './alarms.ts';
import { type ErasureStatus, readErasureStatus } from './erase/deadline-alarms.ts';
import { type PipelineStatus, readStatus } from './pipeline-status.ts';

/** Requests of erasures in numbers alone: whoever reads health has shown no token. */
export interface ErasureHealth extends Pick<ErasureStatus, 'open' | 'needsPerson' | 'waitForApproval'> {
  /** Since the oldest that is not answered was received, ms; 0 where none is open. */
  readonly oldestOpenMs: number;
  /** How many have their deadline near, or behind them. */
  readonly nearDeadline: number;
  /** How many notices to recipients are overdue. */
  readonly unacknowledged: number;
}

export interface Health extends PipelineStatus {
  readonly alarms: readonly Alarm[];
  /** Undefined where the key store does not answer, or has no requests yet. */
  readonly erasures?: ErasureHealth;
}

/** The pipeline, its alarms and its requests of erasures: healthy where nothing of them is wrong. */
export async function readHealth(config: Config, datasets: readonly Dataset[]): Promise<Health> {
  const status = await readStatus(config, datasets);
  const alarms = await readAlarms(
    config,
    datasets.map(({ table }) => table),
  );
  const requests = await readErasureStatus(config);
  const nearDeadline = requests?.alarms.length ?? 0;
  const unacknowledged = requests?.unacknowledged.length ?? 0;
  const healthy = status.healthy && alarms.length === 0 && nearDeadline === 0 && unacknowledged === 0;
  const erasures = requests && {
    open: requests.open,
    needsPerson: requests.needsPerson,
    waitForApproval: requests.waitForApproval,
    oldestOpenMs: requests.oldestOpenMs ?? 0,
    nearDeadline,
    unacknowledged,
  };
  return { ...status, healthy, alarms, ...(erasures ? { erasures } : {}) };
}
