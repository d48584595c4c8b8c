import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LetheProject } from '../support/lethe-project.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: person.name, action: encrypt }
`;

/** The stack's Postgres is source and key store at once, and the master key a file: neither is good enough for production. */
describe('in production', () => {
  let project: LetheProject;
  let own: OwnPostgres;

  beforeAll(async () => {
    project = await LetheProject.create(await acquireStack(), {
      schema: 'create table people (id int primary key, name text)',
      contracts: { 'people.yaml': contract },
    });
    own = await OwnPostgres.create();
    await own.start({});
  });
  afterAll(async () => {
    await project?.drop();
    await own?.drop();
  });

  async function refusal(command: string, sections: object): Promise<string> {
    await project.writeConfig({ environment: 'production', ...sections });
    const { code, stdout, stderr } = await project.lethe(...command.split(' '));
    expect(code, stdout).toBe(1);
    return stdout + stderr;
  }

  it.each(['check', 'plan', 'apply', 'run'])('`lethe %s` refuses a master key in a file', async (command) => {
    expect(await refusal(command, {})).toMatch(/keys\.master.*whoever has the disk/s);
    expect(await project.traces()).toEqual([]);
  });

  it.each(['check', 'apply'])(
    '`lethe %s` refuses a key store in the source’s own cluster',
    async (command) => {
      const said = await refusal(command, { overrides: ['local-master-key'] });
      expect(said).toMatch(/own cluster.*overrides: \[keys-beside-the-source\]/s);
      expect(await project.traces()).toEqual([]);
    },
  );

  it('a key store on a server of its own is taken, and status shows what is overridden', async () => {
    const keys = {
      url: own.url.replace(/postgres$/, 'lethe_keys'),
      master: { kind: 'local', file: 'own.json' },
    };
    const sections = { environment: 'production', overrides: ['local-master-key'], keys };
    await project.writeConfig(sections);
    expect(await project.lethe('apply')).toMatchObject({ code: 0 });
    const { stdout } = await project.lethe('status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      keys: { environment: 'production', overrides: ['local-master-key'], epochs: [{ state: 'open' }] },
    });
    expect((await project.lethe('status')).stdout).toContain('OVERRIDES: local-master-key');
    expect((await project.lethe('keys', 'status')).stdout).toContain('overrides: local-master-key');
    await project.writeConfig({ ...sections, overrides: [] });
    expect(await project.lethe('run')).toMatchObject({ code: 1 });
  });

  it('both are taken where it is said that they are meant', async () => {
    await project.writeConfig({
      environment: 'production',
      overrides: ['local-master-key', 'keys-beside-the-source'],
    });
    expect(await project.lethe('check')).toMatchObject({ code: 0 });
  });
});
