import { Document, isCollection, isMap, isScalar, type YAMLMap } from 'yaml';
import type { Contract } from '../contract.ts';

/** Comments of a contract's file: names and reasons, a line each. */
export interface ContractComments {
  readonly head: string;
  /** Above a field of the contract. */
  readonly fields: Readonly<Record<string, string>>;
  /** Above a column. */
  readonly columns: Readonly<Record<string, string>>;
}

/** A contract as the file that a person would write: a line for each column, a comment above it. */
export function contractText(contract: Contract, comments: ContractComments): string {
  const document = new Document(contract, { aliasDuplicateObjects: false });
  document.commentBefore = ` ${comments.head}`;
  const root = document.contents as unknown as YAMLMap;
  comment(root, comments.fields);
  for (const { key, value } of root.items) {
    if (isScalar(key) && key.value === 'columns' && isMap(value)) {
      comment(value, comments.columns);
      for (const column of value.items) flow(column.value);
    } else {
      flow(value);
    }
  }
  return document.toString({ lineWidth: 0 });
}

function flow(node: unknown): void {
  if (isCollection(node)) node.flow = true;
}

function comment(map: YAMLMap, comments: Readonly<Record<string, string>>): void {
  for (const { key } of map.items) {
    if (!isScalar(key) || !Object.hasOwn(comments, String(key.value))) continue;
    key.commentBefore = ` ${comments[String(key.value)]}`;
  }
}
