import type { ErasureDesk } from '../../console/erasure-endpoints.ts';
import { approveRequests } from '../../erasure/approvals.ts';
import { readCertificate } from '../../erasure/certificate-store.ts';
import { noticesOf } from '../../erasure/notices.ts';
import { cancelRequest, findRequest, listRequests } from '../../erasure/requests.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import type { Project } from '../project.ts';
import { acknowledge } from './acknowledge.ts';
import { subjectTypes } from './batch.ts';
import { fileErasure } from './file-request.ts';
import { describeNotice } from './show-notices.ts';
import { describeRequest } from './show-request.ts';
import { withdraw } from './withdraw.ts';

/** Requests as `lethe serve` takes them; `wake` has them carried out. */
export function httpDesk(project: Project, keys: PostgresKeyStore, wake: () => void): ErasureDesk {
  const { config } = project;
  return {
    subjectTypes: subjectTypes(project),
    async file({ subject, reason, requestId, receivedAt, identity }, principal) {
      const filing = {
        subject,
        reason,
        ...(requestId === undefined ? {} : { requestId }),
        ...(receivedAt === undefined ? {} : { receivedAt }),
        ...(identity === undefined ? {} : { identity }),
      };
      const [request] = await fileErasure(project, keys, filing, principal);
      wake();
      return describeRequest(request);
    },
    list: async () =>
      (await withKeyStore(config, (client) => listRequests(client))).map((request) =>
        describeRequest(request),
      ),
    async find(id) {
      return withKeyStore(config, async (client) => {
        const request = await findRequest(client, id);
        return request && describeRequest(request, await noticesOf(client, [id]));
      });
    },
    async approve(id, by) {
      const approved = await withKeyStore(config, (client) => approveRequests(client, [id], by));
      const request = approved.find((one) => one.id === id);
      wake();
      return describeRequest(request!);
    },
    acknowledge: async (request, posted, by) =>
      describeNotice(await acknowledge(config, { request, ...posted }, by)),
    async cancel(id, principal) {
      const request = await withdraw(
        config,
        async () => project,
        id,
        (client, one) => cancelRequest(client, one, principal),
      );
      return describeRequest(request);
    },
    certificate: (id) =>
      withKeyStore(config, async (client) => (await readCertificate(client, id))?.document),
  };
}
