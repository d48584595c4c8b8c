import type { ClientBase } from 'pg';
import { LetheError } from '../../schemas/errors.ts';
import { inPatientTransaction, type LockPatience } from './lock-patience.ts';
import { quoteName, quoteTable } from './quote.ts';
import { keepParametersOutOfLog } from './quiet-log.ts';
import type { ErasureStep, SourceErasurePlan } from './source-erasure-plan.ts';
import { Placeholders, type SubjectCondition } from './subject-rows.ts';

/** How many rows of a table were erased at the source. */
export interface ErasedRows {
  readonly table: string;
  readonly action: 'delete' | 'null';
  readonly rows: number;
}

export interface ErasurePatience extends LockPatience {
  /** For one statement. */
  readonly statementTimeoutMs: number;
}

/** Row locks alone are waited for, behind which nobody else waits: longer, and not so often. */
const usual: ErasurePatience = {
  lockTimeoutMs: 2_000,
  attempts: 10,
  pauseMs: 1_000,
  statementTimeoutMs: 300_000,
};

/**
 * Erases a subject's rows at the source as the plan says, in one transaction: all of them or none. Done again it finds nothing and says so.
 * To be called within `withSource`, over a connection in no transaction; throws PLAN_REFUSED with names where rows that are not the
 * subject's, a constraint or a trigger stand in the way, and what the server said where a lock was not to be had.
 */
export async function eraseSourceRows(
  client: ClientBase,
  plan: SourceErasurePlan,
  subjectId: string,
  patience: Partial<ErasurePatience> = {},
): Promise<ErasedRows[]> {
  const refused = plan.obstacles.filter(({ severity }) => severity === 'error');
  if (refused.length > 0) {
    const message = refused.map((obstacle) => obstacle.message).join('; ');
    throw new LetheError('PLAN_REFUSED', `rows at the source cannot be erased: ${message}`, {
      fix: refused.map(({ fix }) => fix).join(' '),
    });
  }
  const { statementTimeoutMs, ...locks } = { ...usual, ...patience };
  let current: string | undefined;
  try {
    return await inPatientTransaction(client, locks, async () => {
      current = undefined;
      await client.query(`set local statement_timeout = '${statementTimeoutMs}ms'`);
      await client.query(keepParametersOutOfLog);
      await passGuards(client, plan, subjectId);
      if (plan.deferred.length > 0)
        await client.query(`set constraints ${plan.deferred.join(', ')} deferred`);
      const erased: ErasedRows[] = [];
      for (const step of plan.steps) {
        current = step.table;
        const rows = await take(client, step, subjectId);
        if (!step.isCut) erased.push({ table: step.table, action: step.action, rows });
      }
      return erased;
    });
  } catch (cause) {
    throw explained(cause, current) ?? cause;
  }
}

/** What stands in the way of erasing a subject's rows, and the way out: names only. */
export interface SubjectObstacle {
  readonly message: string;
  readonly fix: string;
}

/**
 * Looks whether anything at the source stands in the way of erasing this subject: rows of others that would go along, or that would keep
 * Postgres from it. Empty if nothing does. To be called within `withSource`, over a connection in no transaction.
 */
export async function sourceObstaclesOf(
  client: ClientBase,
  plan: SourceErasurePlan,
  subjectId: string,
): Promise<SubjectObstacle[]> {
  await client.query('begin read only');
  try {
    await client.query(keepParametersOutOfLog);
    return await lookAtGuards(client, plan, subjectId);
  } catch (cause) {
    throw explained(cause, undefined) ?? cause;
  } finally {
    await client.query('rollback');
  }
}

async function lookAtGuards(
  client: ClientBase,
  plan: SourceErasurePlan,
  subjectId: string,
): Promise<SubjectObstacle[]> {
  const found: SubjectObstacle[] = [];
  for (const { text, placeholders, message, fix } of plan.guards) {
    const { rows } = await client.query(text, idFor(placeholders, subjectId));
    if (rows.length > 0) found.push({ message, fix });
  }
  return found;
}

async function passGuards(client: ClientBase, plan: SourceErasurePlan, subjectId: string): Promise<void> {
  const [first, ...more] = await lookAtGuards(client, plan, subjectId);
  if (!first) return;
  const message = [first, ...more].map((obstacle) => obstacle.message).join('; ');
  throw new LetheError('PLAN_REFUSED', message, { fix: first.fix });
}

/** Takes the step and looks that nothing was left: a trigger or a rule may have swallowed it. */
async function take(client: ClientBase, step: ErasureStep, subjectId: string): Promise<number> {
  const { table, action, columns } = step;
  const names = columns.map(quoteName);
  const isLeft = action === 'null' ? names.map((name) => `t.${name} is not null`).join(' or ') : 'true';
  const run = (head: string, tail = '') => {
    const { where, count } = whereOf(step.own);
    const text = `${head} where ${where} and (${isLeft})${tail}`;
    return client.query(text, idFor(count, subjectId));
  };
  const { rowCount } =
    action === 'delete'
      ? await run(`delete from ${quoteTable(table)} t`)
      : await run(`update ${quoteTable(table)} t set ${names.map((name) => `${name} = null`).join(', ')}`);
  const left = await run(`select 1 from ${quoteTable(table)} t`, ' limit 1');
  if (left.rows.length > 0) {
    throw new LetheError('PLAN_REFUSED', `a trigger or a rule of ${table} keeps rows from being erased`, {
      fix: 'Have it let rows go that Lethe’s role erases.',
    });
  }
  return rowCount ?? 0;
}

function whereOf(own: SubjectCondition): { where: string; count: number } {
  const placeholders = new Placeholders();
  const where = own('t', placeholders);
  return { where, count: placeholders.count };
}

function idFor(placeholders: number, subjectId: string): string[] {
  return Array.from({ length: placeholders }, () => subjectId);
}

interface ServerError {
  readonly code?: unknown;
  readonly schema?: unknown;
  readonly table?: unknown;
  readonly column?: unknown;
  readonly constraint?: unknown;
}

/** In words, from SQLSTATE and names alone: the server's own words quote rows. Undefined for what others explain. */
function explained(cause: unknown, table: string | undefined): LetheError | undefined {
  if (cause instanceof LetheError) return undefined;
  const error = cause as ServerError;
  const at = table ?? 'a table';
  const named = (name: unknown) => (typeof name === 'string' ? name : '?');
  switch (error.code) {
    case '23503':
    case '23001': {
      const child = `${named(error.schema)}.${named(error.table)}`;
      const message = `rows of ${child} still refer to what is to be erased (${named(error.constraint)})`;
      return new LetheError('PLAN_REFUSED', message, {
        fix: `Have the application take them off, or write source: delete for ${child}.`,
      });
    }
    case '23502':
      return new LetheError('PLAN_REFUSED', `${at} does not take null in ${named(error.column)}`, {
        fix: 'Make it nullable at the source, or write source: delete.',
      });
    case '23514':
      return new LetheError('PLAN_REFUSED', `${at} does not take null (${named(error.constraint)})`, {
        fix: 'Let the constraint take null, or write source: delete.',
      });
    case 'P0001':
      return new LetheError('PLAN_REFUSED', `a trigger of ${at} keeps rows from being erased`, {
        fix: 'Have it let rows go that Lethe’s role erases.',
      });
    case '22P02':
    case '22003':
      return new LetheError(
        'PLAN_REFUSED',
        `no row of ${at} can be this person's: the id is of another type`,
        {
          fix: 'Look whether the contracts of this kind of person name the columns that are meant.',
        },
      );
    case '57014':
      return new LetheError('SERVER_FAILED', `erasing rows of ${at} at the source takes too long`, {
        fix: 'Make an index that leads with the column that says whose the rows are.',
      });
    default:
      return undefined;
  }
}
