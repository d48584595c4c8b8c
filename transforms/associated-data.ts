const mostKept = 256;

/**
 * Associated data of one column, whose rows differ in the subject's id alone, and that stands at its end: the start is
 * encoded once, and one buffer is kept for each length. `make` gives the whole for an id. What is returned is valid until the
 * next call: node:crypto is done with it by then.
 */
export function compileAssociatedData(make: (subjectId: string) => Buffer): (subjectId: string) => Buffer {
  const start = make('');
  const kept: (Buffer | undefined)[] = Array.from({ length: mostKept });
  return (subjectId) => {
    const n = subjectId.length;
    if (n >= mostKept) return make(subjectId);
    const data = (kept[n] ??= Buffer.concat([start, Buffer.alloc(n)]));
    for (let i = 0; i < n; i++) {
      const code = subjectId.charCodeAt(i);
      // Beyond ASCII a letter has more bytes than one.
      if (code > 0x7f) return make(subjectId);
      data[start.length + i] = code;
    }
    return data;
  };
}
