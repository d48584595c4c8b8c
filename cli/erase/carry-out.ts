import { openProject } from '../project.ts';
import { print, type RequestCommandFlags } from './request-command.ts';
import { runRequests } from './run-requests.ts';
import { describeRequest, renderRequest, renderRequests } from './show-request.ts';

/** Carries requests out, says where they stand, and fails where one is not done. */
export async function carryOut(
  flags: RequestCommandFlags,
  only: ReadonlySet<string> | undefined,
  logs: readonly string[],
): Promise<void> {
  const requests = await runRequests(await openProject(flags.config), { ...(only ? { only } : {}), logs });
  const described = requests.map((request) => describeRequest(request));
  const one = only?.size === 1 ? requests[0] : undefined;
  print(flags, one ? described[0]! : { requests: described }, () =>
    one ? renderRequest(one) : renderRequests(requests),
  );
  if (requests.some(({ state }) => state === 'open' || state === 'needs-person')) process.exitCode = 1;
}
