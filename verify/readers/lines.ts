/**
 * The lines of a stream of UTF-8, parted at the byte 0x0A alone: a value may hold U+2028, which line readers take
 * for an end of line too.
 */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      held.push(chunk.subarray(from, end));
      yield (held.length === 1 ? held[0]! : Buffer.concat(held)).toString('utf8');
      held = [];
      from = end + 1;
    }
    if (from < chunk.length) held.push(chunk.subarray(from));
  }
  if (held.length > 0) yield Buffer.concat(held).toString('utf8');
}
