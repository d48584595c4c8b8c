import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { SinkName } from '../../schemas/sink-name.ts';
import type { Contract } from '../../schemas/contract.ts';
import { needsValue } from '../../schemas/dataset.ts';
import { valueKind } from '../../schemas/value-kind.ts';
import { generatedProblem } from '../check-columns.ts';
import type { CatalogColumn, CatalogTable } from '../postgres/catalog.ts';
import { noEvidence } from './classify-values.ts';
import { findSubject } from './find-subject.ts';
import { judgeColumn } from './judge-column.ts';
import { judgeIdentity } from './judge-identity.ts';
import { proposeAction } from './propose-action.ts';
import type { Relations } from './relations.ts';
import type { Sample } from './sample-rows.ts';

/** A contract as it is proposed, with the reason of each of its columns and of its subject. */
export interface Proposal {
  readonly contract: Contract;
  readonly reasons: Readonly<Record<string, string>>;
  readonly subjectReason: string;
}

/** What a proposal is made of. */
export interface ProposalFacts {
  readonly table: CatalogTable;
  readonly relations: Relations;
  readonly serverVersion: number;
  readonly sinks: readonly SinkName[];
  readonly sample: Sample;
  /** Roots of identities (`schema.table.column`) that another table's sample has shown to be personal. */
  readonly personalRoots: ReadonlySet<string>;
}

interface ColumnProposal {
  readonly rule: ColumnRule;
  readonly reason: string;
}

/** Who answers for a contract is not for a program to say. */
export const unassignedOwner = 'unassigned';

/** A contract for every column of the table: what it may not say `keep` of, it protects. */
export function proposeContract(facts: ProposalFacts): Proposal {
  const { table, relations } = facts;
  const { subject, reason: subjectReason } = findSubject(table, relations, facts.serverVersion);
  const names = new Set<string>();
  const proposals = table.columns.map((column) => {
    const proposal = proposeColumn(column, facts, subject !== undefined);
    const collides = proposal.rule.action !== 'drop' && names.has(column.name.toLowerCase());
    names.add(column.name.toLowerCase());
    return [
      column.name,
      collides ? dropped(proposal, 'another column differs from it by case alone') : proposal,
    ] as const;
  });
  return {
    contract: {
      table: table.table,
      owner: unassignedOwner,
      tier: 1,
      ...(subject ? { subject } : {}),
      sinks: [...facts.sinks],
      staleness: '30s',
      columns: Object.fromEntries(proposals.map(([name, { rule }]) => [name, rule])),
    },
    reasons: Object.fromEntries(proposals.map(([name, { reason }]) => [name, reason])),
    subjectReason,
  };
}

function proposeColumn(column: CatalogColumn, facts: ProposalFacts, hasSubject: boolean): ColumnProposal {
  const { table, relations } = facts;
  const kind = valueKind(column);
  if (!kind) {
    const rule = { classification: 'content.free-text', action: 'drop' } as const;
    return { rule, reason: `${column.typeText} is a type that is not taken` };
  }
  const evidence = facts.sample.evidence.get(column.name) ?? noEvidence;
  const inKey = table.primaryKey.includes(column.name);
  const identity = relations.identityOf(table.table, column.name, inKey);
  const judged = identity && judgeIdentity(column, kind, identity, evidence);
  const elsewhere = judged?.treat === 'keep' && facts.personalRoots.has(identity!.root);
  const verdict = judged ?? judgeColumn(column, kind, evidence, relations.isOfPeople(table.table));
  const rule = proposeAction(verdict.guess, {
    kind,
    scale: column.scale,
    hasSubject,
    identity: elsewhere ? 'hash' : judged?.treat,
    domain: identity?.shared ? domainOf(identity.root) : undefined,
  });
  const proposal = {
    rule,
    reason: elsewhere ? `${verdict.reason}; its values look personal in another table` : verdict.reason,
  };
  if (inKey) return proposal;
  const obstacle = obstacleOf(column, rule, facts.serverVersion);
  return obstacle === undefined ? proposal : dropped(proposal, obstacle);
}

/** Why a column cannot be passed on at all. */
function obstacleOf(column: CatalogColumn, rule: ColumnRule, serverVersion: number): string | undefined {
  if (rule.action === 'drop') return undefined;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(column.name) || /^_lethe/i.test(column.name)) {
    return 'its name cannot be passed on';
  }
  if (!needsValue(rule)) return undefined;
  if (!column.readable) return 'this role may not read it';
  return generatedProblem(column, serverVersion) && 'a generated column that is not in the WAL';
}

function dropped({ rule, reason }: ColumnProposal, why: string): ColumnProposal {
  return {
    rule: { classification: rule.classification, action: 'drop' },
    reason: `${reason}; ${why}`,
  };
}

/** All who refer to one column get the same pseudonyms: `public.customers.ref` is `customers-ref`. */
function domainOf(root: string): string {
  const text = root
    .replace(/^public\./, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return text
    .replace(/^[^a-z]*/, 'd-')
    .replace(/^d-(?=[a-z])/, '')
    .slice(0, 63);
}

/** Roots of identities that this sample shows to be personal, so that no other table keeps them. */
export function personalRoots(facts: Omit<ProposalFacts, 'personalRoots'>): string[] {
  const { table, relations, sample } = facts;
  return table.columns.flatMap((column) => {
    const kind = valueKind(column);
    const inKey = table.primaryKey.includes(column.name);
    const identity = kind && relations.identityOf(table.table, column.name, inKey);
    if (!identity) return [];
    const { treat } = judgeIdentity(column, kind, identity, sample.evidence.get(column.name) ?? noEvidence);
    return treat === 'hash' ? [identity.root] : [];
  });
}
