import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessCommand } from '../../cli/access.ts';
import { auditCommand } from '../../cli/audit.ts';
import { mayOpen } from '../../cli/dlq/may-open.ts';
import { dlqCommand } from '../../cli/dlq.ts';
import { glassCommand } from '../../cli/glass.ts';
import { keysCommand } from '../../cli/keys.ts';
import { statusCommand } from '../../cli/status.ts';
import { approveGlass, listGlass, type ReasonedGlass, usableGlass } from '../../keys/access/glass-store.ts';
import { issueToken } from '../../keys/access/tokens.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { GuardedProject } from '../support/guarded-project.ts';

/** In what people write, which stands in no audit. */
const canary = 'zq7_reason_canary';

/**
 * Invariant: in production nobody does what his role may not, unless two others let him for a while; each refusal and each use of a right stands
 * in the audit under the name of who proved who he is.
 */
describe('who may do what', { timeout: 300_000 }, () => {
  let guarded: GuardedProject;

  beforeAll(async () => {
    guarded = await GuardedProject.create();
  });
  afterAll(() => guarded?.drop());

  it('is kept in tables that a key store from before them gets by `lethe apply`', async () => {
    await withKeyStore(guarded.config, (client) => client.query('drop table lethe_keys.glass_approvals'));
    expect((await guarded.project.lethe('plan')).stdout).toContain('newer tables of the key store');
    expect(await guarded.project.lethe('apply')).toMatchObject({ code: 0 });
    expect((await guarded.project.lethe('plan')).stdout).not.toContain('newer tables');
  });

  it('is open until the first principal is made, who must be able to make others', async () => {
    expect((await guarded.run(statusCommand(), '')).out).toContain('open, whoever has lethe.yaml may do all');
    expect(await guarded.run(auditCommand(), '', 'list')).toMatchObject({ code: 0 });
    const first = await guarded.run(accessCommand(), '', 'add', 'someone', '--role', 'auditor');
    expect(first).toMatchObject({ code: 1 });
    expect(first.err).toContain('the first principal must be one who manages access');
    await guarded.addLead();
    const refusal = await guarded.refused(auditCommand(), '', 'list');
    expect(refusal).toMatchObject({
      principal: 'unknown',
      details: { why: 'no-token', for: 'audit:read' },
    });
    for (const [name, role] of [
      ['eng1', 'engineer'],
      ['eng2', 'engineer'],
      ['reader', 'consumer'],
      ['aud', 'auditor'],
    ] as const) {
      await guarded.add(name, role);
    }
    expect((await guarded.run(statusCommand(), '')).out).toContain('by token, 5 principals');
  });

  it('refuses what a role may not, by the principal’s name, and names him for what he did', async () => {
    expect(await guarded.refused(keysCommand(), 'aud', 'turn')).toMatchObject({
      principal: 'aud',
      details: { why: 'role', for: 'keys:manage' },
    });
    expect(await guarded.refused(keysCommand(), 'lead', 'turn')).toMatchObject({ principal: 'lead' });
    expect(await guarded.refused(accessCommand(), 'eng1', 'add', 'more', '--role', 'consumer')).toMatchObject(
      {
        principal: 'eng1',
        details: { for: 'access:manage' },
      },
    );
    expect(await guarded.refused(auditCommand(), 'reader', 'verify')).toMatchObject({ principal: 'reader' });
    expect(await guarded.refused(dlqCommand(), 'eng1', 'retry', '--all')).toMatchObject({
      details: { for: 'payload:read' },
    });
    await guarded.done(keysCommand(), 'eng1', 'turn');
    expect((await guarded.entries('epoch-opened')).at(-1)).toMatchObject({ principal: 'eng1' });
    expect(await guarded.run(dlqCommand(), 'lead', 'retry', '--all')).toMatchObject({ code: 0 });
  });

  it('takes no token that is cut, changed, revoked or over', async () => {
    const good = guarded.tokens.get('aud')!;
    const tried = async (text: string) => {
      guarded.tokens.set('tried', text);
      return (await guarded.refused(auditCommand(), 'tried', 'list')).details['why'];
    };
    const other = await issueToken(guarded.config, 'aud', 60_000, 'lead');
    const short = await issueToken(guarded.config, 'aud', 1, 'lead');
    expect(await tried(good.slice(0, -1))).toBe('malformed');
    expect(await tried(`${good.slice(0, 42)}_${other.text.slice(43)}`)).toBe('wrong-secret');
    expect(await tried(good.replace(/^lethe_.{8}/, 'lethe_00000000'))).toBe('unknown');
    expect(await tried(short.text)).toBe('expired');
    await guarded.done(accessCommand(), 'lead', 'revoke', 'aud', '--token', other.id);
    expect(await tried(other.text)).toBe('revoked');
    await guarded.add('leaver', 'auditor');
    await guarded.done(accessCommand(), 'lead', 'revoke', 'leaver');
    expect(await tried(guarded.tokens.get('leaver')!)).toBe('revoked');
    expect(await guarded.run(auditCommand(), 'aud', 'list')).toMatchObject({ code: 0 });
    const last = await guarded.run(accessCommand(), 'lead', 'revoke', 'lead');
    expect(last.err).toContain('the last one who manages access');
  });

  describe('a glass', () => {
    const ask = (who: string, ...more: string[]) =>
      guarded.done<ReasonedGlass>(
        glassCommand(),
        who,
        'ask',
        '--for',
        'payload',
        '--reason',
        canary,
        ...more,
      );
    const approve = (who: string, id: string) => guarded.run(glassCommand(), who, 'approve', id);

    it('lets in for a while whom two others approved, and no longer', async () => {
      const { id } = await ask('eng1');
      await guarded.add('late', 'engineer');
      const refusals = [
        [await guarded.refused(glassCommand(), 'eng1', 'approve', id), 'own-request'],
        [await guarded.refused(glassCommand(), 'late', 'approve', id), 'newer-than-request'],
        [await guarded.refused(glassCommand(), 'reader', 'approve', id), 'role'],
      ] as const;
      for (const [{ details }, why] of refusals) expect(details['why']).toBe(why);
      expect(await approve('eng2', id)).toMatchObject({ code: 0 });
      expect((await guarded.refused(glassCommand(), 'eng2', 'approve', id)).details['why']).toBe(
        'approved-before',
      );
      await guarded.refused(dlqCommand(), 'eng1', 'retry', '--all');
      expect((await approve('lead', id)).out).toContain('is open until');
      expect((await guarded.run(statusCommand(), '')).out).toContain('1 GLASS BROKEN');

      process.env['LETHE_TOKEN'] = guarded.tokens.get('eng1')!;
      try {
        await mayOpen(guarded.config, ['public.people']);
        expect((await guarded.entries('glass-used')).at(-1)).toMatchObject({
          principal: 'eng1',
          details: { glass: id },
        });
        await guarded.done(glassCommand(), 'eng1', 'close', id);
        await expect(mayOpen(guarded.config, ['public.people'])).rejects.toMatchObject({
          code: 'ACCESS_REFUSED',
        });
      } finally {
        delete process.env['LETHE_TOKEN'];
      }
    });

    it('is over when its time is, and counts nobody who was kept out since', async () => {
      const usable = async (id: string) => {
        return withKeyStore(guarded.config, async (client) => {
          return (await usableGlass(client, 'eng1', { kind: 'payload' }))?.id === id;
        });
      };
      const short = await ask('eng1', '--open', '1ms');
      for (const who of ['eng2', 'lead']) expect(await approve(who, short.id)).toMatchObject({ code: 0 });
      expect(await usable(short.id)).toBe(false);
      await guarded.add('gone', 'engineer');
      const { id } = await ask('eng1');
      for (const who of ['eng2', 'gone']) expect(await approve(who, id)).toMatchObject({ code: 0 });
      expect(await usable(id)).toBe(true);
      await guarded.done(accessCommand(), 'lead', 'revoke', 'gone');
      expect(await usable(id)).toBe(false);
    });

    it('counts each once, where all approve at once', async () => {
      const { id } = await ask('eng1');
      const all = ['eng2', 'eng2', 'eng2', 'lead', 'lead', 'late'].map((name) =>
        approveGlass(guarded.config, id, { name }).then(
          () => 1,
          () => 0,
        ),
      );
      const counted = (await Promise.all(all)).reduce((sum: number, one) => sum + one, 0);
      expect(counted).toBe(2);
      const glass = (await listGlass(guarded.config, 50)).find((one) => one.id === id)!;
      expect(new Set(glass.approvals.map(({ principal }) => principal)).size).toBe(2);
      expect(glass.opensUntil).toBeDefined();
    });
  });

  it('is open outside of production, where a token that is shown counts all the same', async () => {
    await guarded.configure({ environment: 'development' });
    expect(await guarded.run(auditCommand(), '', 'list')).toMatchObject({ code: 0 });
    expect(await guarded.refused(auditCommand(), 'reader', 'list')).toMatchObject({ principal: 'reader' });
    await guarded.configure({});
    await guarded.refused(auditCommand(), '', 'list');
  });

  it('stands in an audit that is whole, and that holds no secret and nothing that people wrote', async () => {
    const verified = await guarded.run(auditCommand(), 'aud', 'verify');
    expect(verified, verified.out + verified.err).toMatchObject({ code: 0 });
    const dump = await withKeyStore(guarded.config, async (client) => {
      const tables = ['audit', 'principals', 'tokens', 'grants', 'glass', 'glass_approvals'];
      const texts = [];
      for (const table of tables) {
        const { rows } = await client.query<{ text: string }>(
          `select coalesce(string_agg(t::text, ' '), '') as text from lethe_keys.${table} t`,
        );
        texts.push([table, rows[0]!.text] as const);
      }
      return new Map(texts);
    });
    expect(dump.get('audit')).not.toContain(canary);
    for (const text of guarded.tokens.values()) {
      const secret = text.slice(-43);
      for (const [table, content] of dump) {
        expect(content.includes(secret), table).toBe(false);
        expect(content.includes(Buffer.from(secret, 'base64url').toString('hex')), table).toBe(false);
      }
    }
  });
});
