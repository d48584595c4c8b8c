/** Platforms for which all native packages of the stack exist. */
export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'] as const;

/** A supported pair of operating system and processor. */
export type Platform = (typeof PLATFORMS)[number];

/** The platform of this process, or undefined when the stack has no binaries for it. */
export function currentPlatform(
  os: string = process.platform,
  cpu: string = process.arch,
  musl: boolean = os === 'linux' && runsOnMusl(),
): Platform | undefined {
  if (musl) return undefined;
  return PLATFORMS.find((platform) => platform === `${os}-${cpu}`);
}

function runsOnMusl(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

/** Fills `{platform}` and `{platform-libc}` in the name of an npm package. */
export function nativePackage(template: string, platform: Platform): string {
  const libc = platform.startsWith('linux') ? `${platform}-gnu` : platform;
  return template.replace('{platform-libc}', libc).replace('{platform}', platform);
}
