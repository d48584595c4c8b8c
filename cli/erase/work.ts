import type { StepWork } from '../../erasure/runner.ts';
import type { ErasureStep } from '../../erasure/step.ts';
import { certifiedWork } from './certified.ts';
import { checkedWork } from './checked.ts';
import type { ErasureContext } from './context.ts';
import { inventoriedWork } from './inventoried.ts';
import { keyDestroyedWork } from './key-destroyed.ts';
import { tellingRecipients } from './recipients-told.ts';
import { retainedWork } from './retained.ts';
import { sourceClearedWork } from './source-cleared.ts';
import { storesClearedWork } from './stores-cleared.ts';
import { suppressedWork } from './suppressed.ts';
import { tombstonedWork } from './tombstoned.ts';
import { topicPace } from './topic-pace.ts';
import { topicsCompactedWork } from './topics-compacted.ts';
import { verifiedWork } from './verified.ts';

/** What each step of an erasure does in this project. */
export function erasureWork(context: ErasureContext): Readonly<Record<ErasureStep, StepWork>> {
  return {
    checked: checkedWork(context),
    inventoried: inventoriedWork(context),
    suppressed: suppressedWork(context),
    retained: retainedWork(context),
    'source-cleared': sourceClearedWork(context),
    'key-destroyed': keyDestroyedWork(context),
    tombstoned: tombstonedWork(context),
    'stores-cleared': storesClearedWork(context),
    'topics-compacted': tellingRecipients(context, topicsCompactedWork(context, topicPace(context.project))),
    verified: verifiedWork(context),
    certified: certifiedWork(context),
  };
}
