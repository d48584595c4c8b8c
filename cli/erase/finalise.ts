import { certificateDocumentShape } from '../../erasure/certificate-document.ts';
import { issueCertificate } from '../../erasure/certificate-store.ts';
import { noticesOf } from '../../erasure/notices.ts';
import { appendAudit } from '../../keys/audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { withSigningKey } from '../../keys/signing-key.ts';
import type { Config } from '../../schemas/config.ts';
import { finalityOf, keysOf } from './destroyed-key.ts';
import { recipientsIn, unacknowledged, withoutCopies } from './recipients.ts';

/** A certificate that was provisional, and the final one that follows it. */
export interface FinalCertificate {
  readonly request: string;
  readonly certificate: number;
}

/**
 * Issues final certificates for requests whose keys no backup can give back any more, since the master keys of their epochs are destroyed. They
 * say the same as the provisional ones but for that, and for what recipients have acknowledged meanwhile.
 */
export async function finaliseCertificates(config: Config): Promise<FinalCertificate[]> {
  return withSigningKey(config, (key) =>
    withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ request: string; document: string }>(
        `select request, document from lethe_erasure.certificates c where not final
            and not exists (select from lethe_erasure.certificates f where f.request = c.request and f.final) order by number`,
      );
      const issued: FinalCertificate[] = [];
      for (const { request, document } of rows) {
        const {
          number: _,
          previous: __,
          ...body
        } = certificateDocumentShape.parse(JSON.parse(document)).certificate;
        const keys = await Promise.all(body.keys.map(({ keyId }) => keysOf(client, keyId)));
        const finality = finalityOf(keys.flat());
        if (finality.state !== 'final') continue;
        const certificate = await inTransaction(client, async () => {
          const recipients = recipientsIn(await noticesOf(client, [request]));
          const { number } = await issueCertificate(client, key, {
            ...body,
            recipients,
            notExamined: [...withoutCopies(body), ...unacknowledged(recipients)],
            keys: keys.flat(),
            finality,
          });
          await appendAudit(client, 'erasure-certified', { request, certificate: number });
          return number;
        });
        issued.push({ request, certificate });
      }
      return issued;
    }),
  );
}
