import { forgetRequests } from '../../erasure/forget-requests.ts';
import { listRequests, type ErasureRequest } from '../../erasure/requests.ts';
import { ErasureRunner } from '../../erasure/runner.ts';
import type { ErasureStep } from '../../erasure/step.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { Project } from '../project.ts';
import { anchorKeys } from '../anchored-keys.ts';
import { untilStopped } from '../until-stopped.ts';
import { erasureWork } from './work.ts';

export interface RunOptions {
  /** All that are open if left out. */
  readonly only?: ReadonlySet<string>;
  /** Log files, or folders of them, that the scan is to read. */
  readonly logs: readonly string[];
}

const words: Readonly<Record<ErasureStep, string>> = {
  checked: 'checking that nothing speaks against it',
  inventoried: 'finding where everything is',
  suppressed: 'suppressing, and fencing what was begun before',
  retained: 'keeping apart what the law has to be kept',
  'source-cleared': 'clearing the rows at the source',
  'key-destroyed': 'destroying the key',
  tombstoned: 'writing tombstones',
  'stores-cleared': 'clearing the stores',
  'topics-compacted': 'compacting the topics',
  verified: 'looking for what is left, everywhere',
  certified: 'signing the certificate',
};

/** Drives open requests as far as they come, and says on stderr what is being done. Gives them back as they stand then. */
export async function runRequests(project: Project, { only, logs }: RunOptions): Promise<ErasureRequest[]> {
  const { config } = project;
  const keys = openKeyStore(config, 2);
  const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
  try {
    await untilStopped((signal) =>
      new ErasureRunner({
        config,
        keys,
        work: erasureWork({ project, keys, logs, say }),
        ...(only ? { only } : {}),
        onStep: (step, requests, state, why) => {
          const whom = requests.length === 1 ? requests[0]! : `${requests.length} requests`;
          if (state === 'begun') process.stderr.write(`${whom}: ${words[step]}\n`);
          if (state === 'failed') process.stderr.write(`${whom}: ${words[step]} failed: ${why}\n`);
        },
        signal,
      }).run(),
    );
    await forgetRequests(config);
    await anchorKeys(config);
  } finally {
    await keys.close();
  }
  return withKeyStore(config, (client) => listRequests(client, undefined, only));
}
