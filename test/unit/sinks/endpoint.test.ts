import { describe, expect, it } from 'vitest';
import { LetheError } from '../../../schemas/errors.ts';
import { resolveEndpoint } from '../../../sinks/endpoint.ts';

describe('a store’s address', () => {
  it('is parted from credentials, path and TLS options', () => {
    const endpoint = resolveEndpoint('clickhouse', {
      url: 'https://us%40er:p%2Fw@store.example:8443/proxy/',
      tls: { ca: 'CA', verify: true },
    });
    expect(endpoint).toEqual({
      origin: 'https://store.example:8443',
      path: '/proxy',
      address: 'store.example:8443',
      username: 'us@er',
      password: 'p/w',
      tls: { ca: 'CA', rejectUnauthorized: true },
    });
  });

  it('takes the fields of the configuration before those in the url', () => {
    const endpoint = resolveEndpoint('clickhouse', { url: 'http://a:b@h', username: 'c', password: 'd' });
    expect([endpoint.username, endpoint.password, endpoint.address]).toEqual(['c', 'd', 'h:80']);
  });

  it('verifies certificates unless it is told not to', () => {
    expect(resolveEndpoint('x', { url: 'https://h' }).tls).toEqual({ rejectUnauthorized: true });
    expect(resolveEndpoint('x', { url: 'https://h', tls: { verify: false } }).tls).toEqual({
      rejectUnauthorized: false,
    });
  });

  it.each([
    [{ url: 'http://h', tls: true }, 'tls'],
    [{ url: 'http://h', tls: { ca: 'CA', verify: true } }, 'tls'],
    [{ url: 'http://h?async_insert=1' }, 'url'],
    [{ url: 'http://u:hidden-password@h#x' }, 'url'],
  ])('refuses what would be ignored in silence: %j', (section, field) => {
    const resolve = (): unknown => resolveEndpoint('elasticsearch', section);
    expect(resolve).toThrow(LetheError);
    expect(resolve).toThrow(`elasticsearch.${field}`);
    expect(resolve).not.toThrow(/hidden-password/);
  });
});
