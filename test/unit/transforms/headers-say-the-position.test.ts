import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { header } from '../../../schemas/record-headers.ts';
import { formatVersion } from '../../../schemas/version.ts';
import { halves, wordsOf } from '../../../schemas/version-words.ts';
import { AvroReader } from '../../../transforms/avro-reader.ts';
import { ByteWriter } from '../../../transforms/byte-writer.ts';
import { ChangeHead } from '../../../transforms/change-head.ts';
import { ChangeHeaders } from '../../../transforms/change-headers.ts';
import { testDataset } from '../../support/raw-events.ts';

const dataset = testDataset([
  {
    name: 'id',
    typeName: 'int8',
    nullable: false,
    rule: { classification: 'person.id', action: 'keep' },
  },
]);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const version = fc.record({
  epoch: fc.bigInt({ min: 0n, max: 0xffffn }),
  commit: uint64,
  lsn: uint64,
  seq: fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
});

function encoded(write: (out: ByteWriter) => void): AvroReader {
  const out = new ByteWriter(64);
  write(out);
  return new AvroReader(out.take());
}

describe('headers', () => {
  it('hold the version and the commit time in text, all 64 bits of a position', () => {
    const made = new ChangeHeaders(dataset);
    const head = new ChangeHead();
    fc.assert(
      fc.property(version, fc.maxSafeInteger(), fc.string(), (v, commitMs, key) => {
        head.commitMs = commitMs;
        const found = made.of(head, wordsOf(v), key);
        expect(found[header.version]).toBe(formatVersion(v));
        expect(found[header.commitMs]).toBe(String(commitMs));
        expect(found[header.eventId]).toMatch(/^[0-9a-f]{32}$/);
        expect(found[header.traceId]).toMatch(/^[0-9a-f]{32}$/);
        expect(made.of(head, wordsOf(v), key)).toEqual(found);
      }),
    );
  });

  it('tell changes apart by version and by key, and transactions by number and commit', () => {
    const made = new ChangeHeaders(dataset);
    const head = new ChangeHead();
    head.hasTxId = true;
    const events = new Set<string>();
    const traces = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const v = wordsOf({ epoch: 1n, commit: BigInt(i >> 2) * 8n, lsn: BigInt(i), seq: 0n });
      head.txId.set(halves(BigInt(i >> 2)));
      for (const key of [`${i}`, `${i}|`, `k${'é'.repeat(i % 40)}`]) {
        const found = made.of(head, v, key);
        events.add(found[header.eventId]!);
        traces.add(found[header.traceId]!);
      }
    }
    expect(events.size).toBe(60_000);
    expect(traces.size).toBe(5_000);
  });

  it('take positions of 64 bits from the event, and refuse what is none', () => {
    const head = new ChangeHead();
    fc.assert(
      fc.property(uint64, (n) => {
        head.readSequence(encoded((out) => out.text(`["${n}","5"]`)));
        expect([...head.commit]).toEqual([...halves(n)]);
        const lsn = n >> 1n;
        encoded((out) => out.zigzag(lsn)).readWords(head.lsn, 0);
        expect([...head.lsn]).toEqual([...halves(lsn)]);
        const signed = BigInt.asIntN(64, n);
        expect(encoded((out) => out.zigzag(signed)).readLongText()).toBe(String(signed));
      }),
    );
    head.readSequence(encoded((out) => out.text('[null,"5"]')));
    expect(head.hasCommit).toBe(false);
    for (const bad of [
      '["","5"]',
      '["18446744073709551616","5"]',
      '["12',
      '["1x","5"]',
      `["${'1'.repeat(30)}"]`,
    ]) {
      expect(() => head.readSequence(encoded((out) => out.text(bad)))).toThrow('ends before');
    }
  });
});
