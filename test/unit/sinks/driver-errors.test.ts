import { inspect } from 'node:util';
import { ClickHouseError } from '@clickhouse/client';
import { errors } from '@elastic/elasticsearch';
import { describe, expect, it } from 'vitest';
import type { LetheError } from '../../../schemas/errors.ts';
import * as clickhouse from '../../../sinks/clickhouse/errors.ts';
import * as elasticsearch from '../../../sinks/elasticsearch/errors.ts';
import { itemVerdict } from '../../../sinks/elasticsearch/send.ts';

const canary = 'canary-51c0-a-value-of-a-row';

function answered(statusCode: number, type: string): Error {
  return new errors.ResponseError({
    statusCode,
    body: { error: { type, reason: `failed to parse [${canary}]` } },
    headers: {},
    warnings: [],
    meta: {} as never,
  });
}

function refused(code: string, type: string): Error {
  return new ClickHouseError({ message: `Cannot parse ${canary}`, code, type });
}

function withoutCanary(error: LetheError): string {
  expect(inspect(error, { depth: 10, showHidden: true }).includes(canary)).toBe(false);
  return error.code;
}

describe('errors of the stores', () => {
  it.each([
    [answered(401, 'security_exception'), 'AUTH_FAILED'],
    [answered(403, 'security_exception'), 'AUTH_FAILED'],
    [answered(403, 'cluster_block_exception'), 'SERVER_FAILED'],
    [answered(429, 'es_rejected_execution_exception'), 'SERVER_FAILED'],
    [answered(503, ''), 'SERVER_FAILED'],
    [answered(400, 'illegal_argument_exception'), 'SERVER_FAILED'],
    [new errors.ConnectionError(canary), 'UNREACHABLE'],
    [new errors.TimeoutError(canary), 'UNREACHABLE'],
    [new errors.DeserializationError(canary, canary), 'SERVER_FAILED'],
    [new errors.ProductNotSupportedError('x'), 'SERVER_FAILED'],
    [new Error(canary), 'UNREACHABLE'],
  ])('of Elasticsearch become a code and lose their text: %#', (error, code) => {
    expect(withoutCanary(elasticsearch.toLetheError(error, 'write'))).toBe(code);
  });

  it.each([
    [refused('516', 'AUTHENTICATION_FAILED'), 'AUTH_FAILED'],
    [refused('497', 'ACCESS_DENIED'), 'AUTH_FAILED'],
    [refused('60', 'UNKNOWN_TABLE'), 'SERVER_FAILED'],
    [refused('241', 'MEMORY_LIMIT_EXCEEDED'), 'SERVER_FAILED'],
    [refused('252', 'TOO_MANY_PARTS'), 'SERVER_FAILED'],
    [refused('27', 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'), 'SERVER_FAILED'],
    [Object.assign(new Error(canary), { code: 'ECONNREFUSED' }), 'UNREACHABLE'],
    [Object.assign(new Error(canary), { code: canary }), 'UNREACHABLE'],
    [new Error(canary), 'UNREACHABLE'],
  ])('of ClickHouse become a code and lose their text: %#', (error, code) => {
    expect(withoutCanary(clickhouse.toLetheError(error, 'write'))).toBe(code);
  });

  it('blame a row only where a row can be at fault', () => {
    expect(clickhouse.mayBeARow(refused('469', 'VIOLATED_CONSTRAINT'))).toBe(true);
    expect(clickhouse.mayBeARow(refused('241', 'MEMORY_LIMIT_EXCEEDED'))).toBe(false);
    expect(clickhouse.mayBeARow(refused('60', 'UNKNOWN_TABLE'))).toBe(false);
    expect(clickhouse.mayBeARow(new Error('x'))).toBe(false);
  });

  it.each([
    [201, '', 'written'],
    [200, '', 'written'],
    [409, 'version_conflict_engine_exception', 'stale'],
    [400, 'document_parsing_exception', 'rejected'],
    [413, '', 'rejected'],
    [429, 'es_rejected_execution_exception', 'retriable'],
    [403, 'cluster_block_exception', 'retriable'],
    [503, 'unavailable_shards_exception', 'retriable'],
  ])('give a document that got %i %s the verdict %s', (status, type, outcome) => {
    expect(itemVerdict(status, type, 'alias').outcome).toBe(outcome);
  });

  it.each([
    [404, 'index_not_found_exception', 'SERVER_FAILED'],
    [400, 'strict_dynamic_mapping_exception', 'SERVER_FAILED'],
    [403, 'security_exception', 'AUTH_FAILED'],
  ])('stop the batch where no document is at fault: %i %s', (status, type, code) => {
    expect(() => itemVerdict(status, type, 'alias')).toThrow(expect.objectContaining({ code }));
  });
});
