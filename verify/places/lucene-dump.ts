import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VerifyError } from '../verify-error.ts';

/** One frame of LuceneDump.java's output. */
export interface DumpFrame {
  /** `L` a name, `V` a value, `P` a problem, `N` a number of documents. */
  readonly kind: string;
  readonly bytes: Buffer;
}

export interface DumpOptions {
  /** Folder of the jars of the Elasticsearch that wrote the indexes. */
  readonly lib: string;
  readonly folders: readonly string[];
}

const headerBytes = 5;

/** Reads Lucene indexes with the server's own libraries, in a Java program that is compiled as it starts. */
export async function* dumpLucene({ lib, folders }: DumpOptions): AsyncGenerator<DumpFrame> {
  if (folders.length === 0) return;
  const home = process.env['JAVA_HOME'];
  const java = home ? join(home, 'bin', 'java') : 'java';
  const child = spawn(
    java,
    ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(lib, '*'), programPath()],
    // Its messages quote names of fields and files at most, and are not needed: frames carry the problems.
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('close', resolve);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${folders.join('\n')}\n`);
  try {
    yield* framesOf(child.stdout);
  } finally {
    child.stdout.destroy();
    child.kill();
  }
  if ((await ended) !== 0)
    throw new VerifyError('SERVER_FAILED', 'the program that reads Lucene indexes failed (it needs a JDK)');
}

/** Parts a stream into frames: a letter, a length, bytes. */
export async function* framesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<DumpFrame> {
  let held: Buffer = Buffer.alloc(0);
  const pieces: Buffer[] = [];
  let available = 0;
  let needed = headerBytes;
  for await (const chunk of stream) {
    pieces.push(chunk);
    available += chunk.length;
    if (available < needed) continue;
    held = Buffer.concat([held, ...pieces.splice(0)]);
    let at = 0;
    for (;;) {
      needed = headerBytes;
      if (held.length - at < needed) break;
      needed += held.readUInt32BE(at + 1);
      if (held.length - at < needed) break;
      const bytes = held.subarray(at + headerBytes, at + needed);
      yield { kind: String.fromCharCode(held[at]!), bytes };
      at += needed;
    }
    held = held.subarray(at);
    available = held.length;
  }
  if (available > 0)
    throw new VerifyError('SERVER_FAILED', 'the program that reads Lucene indexes broke off');
}

/** The program lies beside this file's source, whether this runs from there or from dist/. */
function programPath(): string {
  for (
    let folder = dirname(fileURLToPath(import.meta.url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const path = join(folder, 'verify', 'places', 'LuceneDump.java');
    if (existsSync(path)) return path;
  }
  throw new VerifyError('NOT_COVERED', 'LuceneDump.java is not beside this program');
}
