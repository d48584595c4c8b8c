import { readFileSync } from 'node:fs';
import { stackAsset } from './package-root.ts';

/** What is pinned of one file of an npm package; without `sha512` npm's own integrity check stands alone. */
export interface PinnedTarball {
  readonly sha512?: string;
  readonly bytes?: number;
}

/** An npm package of native binaries; its tarball is pinned for each platform, or once for `any`. */
export interface PinnedPackage {
  readonly package: string;
  readonly version: string;
  readonly platforms: Readonly<Record<string, PinnedTarball>>;
}

/** One Maven artifact, pinned by the digest of its file. */
export interface PinnedArtifact {
  readonly version: string;
  readonly artifact: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Jars of Maven dependencies, each pinned by name and digest; a jar that is not named is not kept. */
export interface PinnedJars {
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly bytes: number;
  readonly sha256: Readonly<Record<string, string>>;
}

/** The content of `versions.json`, the one place where versions and checksums stand. */
export interface Versions {
  readonly postgres: { readonly version: string; readonly npm: readonly PinnedPackage[] };
  readonly kafka: PinnedJars;
  readonly debezium: PinnedArtifact;
  readonly avroConverter: PinnedJars;
  readonly registry: PinnedArtifact;
  readonly elasticsearch: PinnedArtifact;
  readonly clickhouse: { readonly version: string; readonly npm: readonly PinnedPackage[] };
}

let cached: Versions | undefined;

/** Reads the pinned versions; the file is shipped with the product, so its shape is trusted. */
export function stackVersions(): Versions {
  cached ??= JSON.parse(readFileSync(stackAsset('versions.json'), 'utf8')) as Versions;
  return cached;
}
