import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { identifyProcess, parseProcStat, type ProcessIdentity } from './process-identity.ts';

/** All running descendants of a process, nearest first. Postgres' children leave its process group. */
export function descendants(pid: number): ProcessIdentity[] {
  const children = childrenByParent();
  const found: ProcessIdentity[] = [];
  const queue = [pid];
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const child of children.get(parent) ?? []) {
      const identity = identifyProcess(child);
      if (identity !== undefined) found.push(identity);
      queue.push(child);
    }
  }
  return found;
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of process.platform === 'linux' ? linuxParents() : portableParents()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  return children;
}

function linuxParents(): [number, number][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): [number, number][] => {
      try {
        const stat = parseProcStat(readFileSync(`/proc/${name}/stat`, 'utf8'));
        return stat === undefined ? [] : [[Number(name), stat.parent]];
      } catch {
        return []; // it ended while we looked
      }
    });
}

function portableParents(): [number, number][] {
  const listed = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return listed.stdout
    .trim()
    .split('\n')
    .map((line): [number, number] => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      return [pid ?? 0, parent ?? 0];
    });
}
