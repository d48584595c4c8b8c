import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpLucene } from '../../verify/places/lucene-dump.ts';
import { acquireStack } from '../support/stack.ts';

/** A Lucene index as Elasticsearch wrote it, in a folder of its own, read while somebody writes into it. */
describe('a lucene index that is written to', () => {
  const index = `written-${Date.now()}`;
  let url: string;
  let lib: string;
  let folder: string;
  const half = () => join(folder, '_zz.si');

  beforeAll(async () => {
    url = (await acquireStack()).endpoints.elasticsearch.url;
    const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
      const answer = await fetch(`${url}/${path}`, {
        method,
        ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
      });
      expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
      return answer.json();
    };
    await ask('PUT', index, { settings: { number_of_replicas: 0 } });
    await ask('POST', `${index}/_doc?refresh=true`, { text: 'whole' });
    await ask('POST', `${index}/_flush?force=true`);
    const { nodes } = (await ask('GET', '_nodes/settings?filter_path=nodes.*.settings.path')) as {
      nodes: Record<string, { settings: { path: { data: string; home: string } } }>;
    };
    const { data, home } = Object.values(nodes)[0]!.settings.path;
    lib = join(home, 'lib');
    const settings = (await ask('GET', index)) as Record<string, { settings: { index: { uuid: string } } }>;
    folder = mkdtempSync(join(tmpdir(), 'lethe-lucene-'));
    cpSync(join(data, 'indices', settings[index]!.settings.index.uuid, '0', 'index'), folder, {
      recursive: true,
    });
    rmSync(join(folder, 'write.lock'), { force: true });
  });
  afterAll(async () => {
    await fetch(`${url}/${index}`, { method: 'DELETE' });
    if (folder) rmSync(folder, { recursive: true });
  });

  /** Puts half of the header of a segment there, as it is while it is written. */
  async function begin(): Promise<void> {
    const whole = readdirSync(folder).find((name) => name.endsWith('.si') && name !== '_zz.si')!;
    await writeFile(half(), readFileSync(join(folder, whole)).subarray(0, 60));
  }

  /** What its reading says; `onRound` is called each time it begins anew. */
  async function read(onRound: () => void) {
    const [problems, values]: [string[], Set<string>] = [[], new Set()];
    for await (const { kind, bytes } of dumpLucene({ lib, folders: [folder] })) {
      if (kind === 'P') problems.push(bytes.toString());
      if (kind === 'V') values.add(bytes.toString());
      if (kind === 'N') onRound();
    }
    return { problems, values };
  }

  it('is read anew as long as somebody writes, and then whole', async () => {
    await begin();
    const writing = setInterval(() => existsSync(half()) && appendFileSync(half(), 'more'), 10);
    let rounds = 0;
    const { problems, values } = await read(() => {
      if (++rounds === 3) rmSync(half());
    });
    clearInterval(writing);
    expect(rounds).toBeGreaterThanOrEqual(3);
    expect(problems).toEqual([]);
    expect(values).toContain('whole');
  });

  /** Takes its commit away, as whoever deletes an index does; what it gives puts it back. */
  function withoutCommit(): () => void {
    const aside = mkdtempSync(join(tmpdir(), 'lethe-lucene-'));
    cpSync(folder, aside, { recursive: true });
    for (const name of readdirSync(folder)) {
      if (name.startsWith('segments_')) rmSync(join(folder, name));
    }
    return () => {
      cpSync(aside, folder, { recursive: true });
      rmSync(aside, { recursive: true });
    };
  }

  it('has nothing to be read once it is deleted up to its lock', async () => {
    const putBack = withoutCommit();
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    await writeFile(join(folder, 'write.lock'), '');
    const { problems } = await read(() => {});
    rmSync(join(folder, 'write.lock'));
    putBack();
    expect(problems).toEqual([]);
  });

  it('is waited for while it is deleted slowly', async () => {
    const putBack = withoutCommit();
    const deletion = setTimeout(() => rmSync(folder, { recursive: true }), 1500);
    const { problems } = await read(() => {});
    clearTimeout(deletion);
    putBack();
    expect(problems).toEqual([]);
  });

  it('is a problem where its files stay and no commit names them', async () => {
    const putBack = withoutCommit();
    const { problems } = await read(() => {});
    putBack();
    expect(problems).toEqual([`${folder}: IndexNotFoundException`]);
  });

  it('is a problem where nobody writes: what is there is broken', async () => {
    await begin();
    const { problems } = await read(() => {});
    rmSync(half());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${folder}: \\w+Exception$`));
  });
});
