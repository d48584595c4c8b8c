import { z } from 'zod';

const tls = z
  .union([
    z.boolean(),
    z.strictObject({
      /** PEM text; give `${file:PATH}`. */
      ca: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
      /** False only for a test machine. */
      verify: z.boolean().default(true),
    }),
  ])
  .optional();
export type Tls = z.infer<typeof tls>;

const httpEndpoint = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  username: z.string().optional(),
  password: z.string().optional(),
  tls,
});
export type HttpEndpoint = z.infer<typeof httpEndpoint>;

/** Where the keys live that wrap all others; see docs/keys.md. */
const master = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('local'),
    /** Made by `lethe apply` with the mode 0600; relative to this file. */
    file: z.string().min(1),
  }),
  z.strictObject({
    kind: z.literal('vault'),
    url: z.url({ protocol: /^https?$/ }),
    token: z.string().min(1),
    /** Where the transit engine is mounted. */
    mount: z
      .string()
      .regex(/^[\w/-]+$/, 'letters, digits, _, - and /')
      .default('transit'),
    namespace: z.string().optional(),
    tls,
  }),
  z.strictObject({
    kind: z.literal('aws-kms'),
    region: z.string().min(1),
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    /** Without them AWS' own chain: environment, profile, the machine's role. */
    accessKeyId: z.string().optional(),
    secretAccessKey: z.string().optional(),
  }),
]);
export type MasterConfig = z.infer<typeof master>;

/** What is refused in production unless it is named in `overrides`. */
export const overrideNames = ['local-master-key', 'keys-beside-the-source'] as const;
export type OverrideName = (typeof overrideNames)[number];

/** Whose tokens are taken besides those that Lethe makes; see docs/access.md. */
const access = z.strictObject({
  /** What stands in a token's `iss`. */
  issuer: z.string().min(1),
  /** What stands in its `aud`. */
  audience: z.string().min(1),
  /** The key set that signatures are checked by: an address, or a file relative to this one. */
  jwks: z
    .string()
    .regex(
      /^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1)[:/]|^(?!https?:)./,
      'write https://…, or the path of a file',
    ),
  /** Which claim holds the role; a dot leads into a claim. */
  roleClaim: z.string().min(1).default('role'),
});
export type AccessConfig = z.infer<typeof access>;

/** How long a notice of an erasure lies in Kafka where nobody acknowledges it; an alarm must come before that. */
export const noticeDays = 90;

/** Who has a person's data from this pipeline, and is told when the person is erased; see docs/erasure-duties.md. */
const recipient = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_.-]{0,62}$/, 'lower-case letters, digits, _, . and -, at most 63'),
  /** Who acknowledges for him, besides compliance: a principal, also one of an identity provider; left out, the one of his name. */
  principal: z
    .string()
    .regex(
      /^(?:[a-z][a-z0-9_.-]{0,62}|oidc:[\x21-\x7e]{1,128})$/,
      'the name of a principal, or oidc: and the subject that the identity provider calls him',
    )
    .optional(),
  /** What he gets: `schema.table`. */
  tables: z.array(z.string().min(1)).min(1),
});
export type Recipient = z.infer<typeof recipient>;

const erasure = z.strictObject({
  /** How many approve a request, besides who filed it, before anything is done. */
  approvals: z.int().min(0).max(5).default(0),
  recipients: z.array(recipient).default([]),
  /** A recipient who has not acknowledged for so long is an alarm. */
  acknowledgeDays: z.int().min(1).max(noticeDays).default(30),
});

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'write postgres://user@host:port/database');

/** The shape of `lethe.yaml` after `${env:…}` and `${file:…}` are filled in. Unknown keys are refused. */
export const configShape = z.strictObject({
  /** Names everything this pipeline owns: slot, publication, connector, groups, indexes, database. */
  name: z.string().regex(/^[a-z][a-z0-9_]{0,30}$/, 'lower-case letters, digits and _, at most 31'),
  /** In production what protects nobody is refused: a master key on the same disk, a key store in the source's own cluster. */
  environment: z.enum(['production', 'development', 'demo']).default('production'),
  /** What is taken all the same, in production; `lethe status` and certificates show it. */
  overrides: z.array(z.enum(overrideNames)).default([]),
  /** Folder of the contracts, relative to this file. */
  contracts: z.string().default('contracts'),
  /** Folder of what the transform keeps on disk, relative to this file; it can be made anew from Kafka. */
  state: z.string().default('.lethe/state'),
  /** File of the rules that every contract must keep, relative to this file. */
  rules: z.string().optional(),
  postgres: z.strictObject({ url: postgresUrl, password: z.string().optional(), tls }),
  kafka: z.strictObject({
    brokers: z.array(z.string().regex(/^[^\s:]+:\d+$/, 'write host:port')).min(1),
    tls,
    sasl: z
      .strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        username: z.string(),
        password: z.string(),
      })
      .optional(),
  }),
  connect: httpEndpoint.extend({
    /** The addresses as the Connect workers see them, where these differ. */
    postgresHost: z.string().optional(),
    postgresPort: z.int().optional(),
    registryUrl: z.string().optional(),
    /** What stands in the connector's configuration instead of the password, for a Connect config provider. */
    postgresPassword: z.string().optional(),
  }),
  registry: httpEndpoint,
  elasticsearch: httpEndpoint.extend({ apiKey: z.string().optional() }).optional(),
  clickhouse: httpEndpoint.extend({ database: z.string().optional() }).optional(),
  keys: z.strictObject({
    /** The key store's own database. */
    url: postgresUrl,
    password: z.string().optional(),
    tls,
    master,
  }),
  access: access.optional(),
  erasure: erasure.prefault({}),
  topics: z
    .strictObject({
      /** Put before `raw.`, `clean.` and `deadletter.`, for several pipelines on one cluster. */
      prefix: z
        .string()
        .regex(/^([a-z0-9_]+\.)?$/, 'lower-case letters, digits, _ and a dot at the end')
        .default(''),
      partitions: z.int().min(1).max(1000).default(6),
      replicationFactor: z.int().min(1).max(10).default(1),
    })
    .prefault({}),
});
export type Config = z.infer<typeof configShape>;
