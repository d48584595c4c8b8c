import type { KMSClient } from '@aws-sdk/client-kms';
import type { MasterConfig } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { Destruction, MasterKeys } from './master-key.ts';

type Sdk = typeof import('@aws-sdk/client-kms');
type KmsConfig = Extract<MasterConfig, { kind: 'aws-kms' }>;

/** The shortest that AWS allows. */
const waitingDays = 7;

/**
 * Master keys in AWS KMS, one customer managed key for each epoch (https://docs.aws.amazon.com/kms/latest/APIReference/). KMS deletes
 * none at once: it is out of use from the request on, and can be taken back for seven days, so that its destruction is pending
 * until then.
 */
export class KmsMasterKeys implements MasterKeys {
  readonly kind = 'aws-kms';
  readonly #config: KmsConfig;
  #opened: Promise<{ sdk: Sdk; kms: KMSClient }> | undefined;

  constructor(config: KmsConfig) {
    this.#config = config;
  }

  async create(): Promise<string> {
    const { sdk, kms } = await this.#open();
    const { KeyMetadata } = await attempt('CreateKey', () =>
      kms.send(new sdk.CreateKeyCommand({ Description: 'An epoch of a Lethe key store' })),
    );
    return present(KeyMetadata?.KeyId, 'CreateKey');
  }

  async wrap(name: string, plaintext: Buffer, context: Buffer): Promise<Buffer> {
    const { sdk, kms } = await this.#open();
    const command = new sdk.EncryptCommand({ KeyId: name, Plaintext: plaintext, ...bound(context) });
    const { CiphertextBlob } = await attempt('Encrypt', () => kms.send(command));
    return Buffer.from(present(CiphertextBlob, 'Encrypt'));
  }

  async unwrap(name: string, wrapped: Buffer, context: Buffer): Promise<Buffer> {
    const { sdk, kms } = await this.#open();
    const command = new sdk.DecryptCommand({ KeyId: name, CiphertextBlob: wrapped, ...bound(context) });
    const { Plaintext } = await attempt('Decrypt', () => kms.send(command));
    return Buffer.from(present(Plaintext, 'Decrypt'));
  }

  async destroy(name: string): Promise<Destruction> {
    const { sdk, kms } = await this.#open();
    let state;
    try {
      state = (await kms.send(new sdk.DescribeKeyCommand({ KeyId: name }))).KeyMetadata;
    } catch (error) {
      if ((error as { name?: unknown }).name === 'NotFoundException') return { state: 'destroyed' };
      throw kmsError(error, 'DescribeKey');
    }
    if (state?.DeletionDate) return { state: 'pending', until: state.DeletionDate };
    const command = new sdk.ScheduleKeyDeletionCommand({ KeyId: name, PendingWindowInDays: waitingDays });
    const { DeletionDate } = await attempt('ScheduleKeyDeletion', () => kms.send(command));
    return { state: 'pending', until: present(DeletionDate, 'ScheduleKeyDeletion') };
  }

  /** Amazon's client takes a fifth of a second to load, which nobody pays who has no such keys. */
  async #open(): Promise<{ sdk: Sdk; kms: KMSClient }> {
    const { region, endpoint, accessKeyId, secretAccessKey } = this.#config;
    return (this.#opened ??= import('@aws-sdk/client-kms').then((sdk) => ({
      sdk,
      kms: new sdk.KMSClient({
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        // Without them AWS' own chain: environment, profile, the machine's role.
        ...(accessKeyId === undefined || secretAccessKey === undefined
          ? {}
          : { credentials: { accessKeyId, secretAccessKey } }),
      }),
    })));
  }
}

async function attempt<T>(operation: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw kmsError(error, operation);
  }
}

/** A key that was destroyed, or is about to be, is as good as none; so is a ciphertext of another one. */
const unusable = new Set([
  'NotFoundException',
  'KMSInvalidStateException',
  'DisabledException',
  'InvalidCiphertextException',
  'IncorrectKeyException',
]);
const refused = new Set([
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'CredentialsProviderError',
  'ExpiredTokenException',
]);

/** From the error's name alone: messages quote what was sent. */
function kmsError(cause: unknown, operation: string): LetheError {
  const { name } = cause as { name?: unknown };
  const known = typeof name === 'string' && /^[A-Za-z]{1,60}$/.test(name) ? name : 'no answer';
  if (unusable.has(known)) {
    return new LetheError('KEY_STORE_INVALID', `AWS KMS has no key that opens this key store (${known})`, {
      fix: 'Name the account and the region that this key store was made in.',
    });
  }
  if (refused.has(known)) {
    return new LetheError('AUTH_FAILED', `AWS KMS refuses ${operation} (${known})`, {
      fix: 'Give the role the policy of docs/keys.md.',
    });
  }
  return new LetheError('KEY_STORE_UNAVAILABLE', `AWS KMS does not do ${operation} (${known})`);
}

/** The context must be a map of texts; KMS binds it to the ciphertext as associated data. */
function bound(context: Buffer): { EncryptionContext: Record<string, string> } {
  return { EncryptionContext: { lethe: context.toString('base64') } };
}

function present<T>(value: T | undefined, operation: string): T {
  if (value !== undefined) return value;
  throw new LetheError('KEY_STORE_INVALID', `AWS KMS answers ${operation} with nothing`);
}
