/** Where the stack tells people what it does. The library itself prints nothing. */
export interface Reporter {
  /** One finished thing, as a sentence. */
  say(text: string): void;
  /** Bytes of a download so far; `total` is undefined where it is not known. */
  progress(label: string, bytes: number, total: number | undefined): void;
  /** The download named `label` has ended, well or not. */
  progressEnd(label: string): void;
}

/** A reporter that tells nobody. */
export const silentReporter: Reporter = {
  say: () => undefined,
  progress: () => undefined,
  progressEnd: () => undefined,
};

/** 921 MB, 12 kB: decimal units, as download sizes are usually given. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
