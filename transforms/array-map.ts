import type { ColumnRule } from '../schemas/column-rule.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import type { ActionSources, ColumnAction } from './column-action.ts';
import { stringOf } from './json-scan.ts';
import { compilePathAction } from './path-action.ts';

/** The one path that an array of texts or numbers has. */
export const itemsPath = '[]';

/**
 * Compiles `paths: { '[]': … }` of an array column: the action on each element, as on an element of a JSON array. An element that does
 * not pass becomes null.
 */
export function compileArrayMap(
  sources: ActionSources,
  rule: ColumnRule & { action: 'paths' },
): ColumnAction {
  const { column } = sources;
  const inner = rule.paths[itemsPath];
  if (!inner) throw unexpected(`column ${column.name} is an array, which has no other path than []`);
  const { act } = compilePathAction(sources, itemsPath, inner);
  const reader = new AvroReader();
  const isText = column.sourceElement === 'text';
  return (buf, from, to, out, row) => {
    const r = reader.reset(buf, from, to);
    for (let block = r.readInt(); block !== 0; block = r.readInt()) {
      // A negative count is followed by the block's size in bytes.
      if (block < 0) r.readInt();
      const count = Math.abs(block);
      // An element has a byte at least: a count that no buffer can hold is not believed.
      if (count > r.end - r.pos) throw malformed();
      out.length(count);
      for (let i = 0; i < count; i++) {
        const branch = r.readInt();
        if (branch !== 0 && branch !== 1) throw malformed();
        const token =
          branch === 0
            ? undefined
            : isText
              ? JSON.stringify(r.readBytes().toString('utf8'))
              : String(r.readLong());
        const passed = token === undefined ? 'null' : act(token, row);
        if (passed === undefined || passed === 'null') {
          out.byte(0);
          continue;
        }
        out.byte(2);
        if (column.element !== 'text') out.zigzag(BigInt(passed));
        else out.text(passed.startsWith('"') ? stringOf(passed) : passed);
      }
    }
    out.byte(0);
  };
}
