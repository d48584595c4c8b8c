import { z } from 'zod';
import { isRequestId } from '../erasure/requests.ts';
import { placeOf } from '../erasure/shape-error.ts';
import type { Principal } from '../keys/access/principal.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Door } from './door.ts';
import { type Answer, type Route, Written } from './http-server.ts';
import { Turnstile } from './turnstile.ts';

/** A request as it was posted. */
export interface PostedErasure {
  readonly subject: { readonly type: string; readonly id: string };
  readonly reason: string;
  readonly requestId?: string | undefined;
  readonly receivedAt?: Date | undefined;
  readonly identity?: string | undefined;
}

/** That a recipient has done his part, as it was posted. */
export interface PostedAcknowledgement {
  readonly recipient: string;
  readonly reference?: string | undefined;
}

/** What is done with requests; each gives what may be shown to everybody. */
export interface ErasureDesk {
  /** Kinds of persons that contracts speak of. */
  readonly subjectTypes: readonly string[];
  file(request: PostedErasure, principal: string): Promise<object>;
  list(): Promise<readonly object[]>;
  find(id: string): Promise<object | undefined>;
  approve(id: string, by: Principal): Promise<object>;
  acknowledge(id: string, posted: PostedAcknowledgement, by: Principal): Promise<object>;
  cancel(id: string, principal: string): Promise<object>;
  /** The certificate's file, to the byte. */
  certificate(id: string): Promise<string | undefined>;
}

const atOnce = 2;
const mostWaiting = 100;
const text = z.string().trim().min(1).max(1_000);

function shapeFor(types: readonly string[]) {
  return z.strictObject({
    subject: z.strictObject({
      type: z.string().refine((type) => types.includes(type)),
      id: z.string().min(1).max(1_000),
    }),
    reason: text,
    requestId: z.string().refine(isRequestId).optional(),
    receivedAt: z.iso
      .datetime({ offset: true })
      .transform((time) => new Date(time))
      .refine((time) => time.getTime() <= Date.now())
      .optional(),
    identity: text.optional(),
  });
}

const acknowledgementShape = z.strictObject({
  recipient: z.string().min(1).max(63),
  reference: text.optional(),
});

/**
 * Requests of erasures over HTTP, each with a bearer token:
 *
 * - `POST /v1/erasures` with {subject: {type, id}, reason, requestId?, receivedAt?, identity?}: 202 with the request. It is carried out
 *   afterwards; the same `requestId` for the same person gives the request that is there. 409 where it may not be filed.
 * - `GET /v1/erasures`, `GET /v1/erasures/ID`, `GET /v1/erasures/ID/certificate`.
 * - `POST /v1/erasures/ID/approve`: by somebody else than who filed it; 403 for who may not, and for one that waits for no approval.
 * - `POST /v1/erasures/ID/cancel`: 409 once the key may be gone.
 * - `POST /v1/erasures/ID/acknowledge` with {recipient, reference?}: by the recipient, or by compliance for him. 409 where he was told nothing.
 *
 * A person's id stands in the body of a POST alone, never in a URL, which servers on the way log.
 */
export function erasureRoutes(desk: ErasureDesk, door: Door): Route[] {
  const turnstile = new Turnstile(atOnce, mostWaiting);
  const shape = shapeFor(desk.subjectTypes);
  const route = (method: Route['method'], path: string, answer: Route['answer']): Route => ({
    method,
    path,
    answer: async (asked) =>
      (await turnstile.pass(() => answer(asked))) ?? [429, { error: 'too many ask at once' }],
  });
  return [
    route('POST', '/v1/erasures', ({ token, body }) =>
      door.permit(token, 'erase:request', async ({ name }) => {
        const posted = shape.safeParse(body);
        if (!posted.success) throw malformed(placeOf(posted.error), desk.subjectTypes);
        const filed = await desk.file(posted.data, name);
        await door.note();
        return [202, filed];
      }),
    ),
    route('GET', '/v1/erasures', ({ token }) =>
      door.permit(token, 'erase:read', async () => [200, { requests: await desk.list() }]),
    ),
    route('GET', '/v1/erasures/:id', ({ token, id }) =>
      door.permit(token, 'erase:read', async () => found(await known(desk, id))),
    ),
    route('POST', '/v1/erasures/:id/approve', ({ token, id }) =>
      door.permit(token, 'erase:approve', async (by) => {
        if (!(await known(desk, id))) return missing;
        const approved = await desk.approve(id, by);
        await door.note();
        return [200, approved];
      }),
    ),
    route('POST', '/v1/erasures/:id/acknowledge', ({ token, id, body }) =>
      door.permit(token, 'notice:acknowledge', async (by) => {
        const posted = acknowledgementShape.safeParse(body);
        if (!posted.success) throw noAcknowledgement(placeOf(posted.error));
        if (!isRequestId(id)) return missing;
        const acknowledged = await desk.acknowledge(id, posted.data, by);
        await door.note();
        return [200, acknowledged];
      }),
    ),
    route('POST', '/v1/erasures/:id/cancel', ({ token, id }) =>
      door.permit(token, 'erase:request', async ({ name }) => {
        if (!(await known(desk, id))) return missing;
        const cancelled = await desk.cancel(id, name);
        await door.note();
        return [200, cancelled];
      }),
    ),
    route('GET', '/v1/erasures/:id/certificate', ({ token, id }) =>
      door.permit(token, 'erase:read', async () => {
        const certificate = isRequestId(id) ? await desk.certificate(id) : undefined;
        return certificate === undefined ? missing : [200, new Written(certificate)];
      }),
    ),
  ];
}

/** What stands in a path and can be no request's id is not said again. */
async function known(desk: ErasureDesk, id: string): Promise<object | undefined> {
  return isRequestId(id) ? desk.find(id) : undefined;
}

const missing: Answer = [
  404,
  { error: { code: 'ERASURE_REFUSED', message: 'there is no such request, or it has no certificate yet' } },
];

function found(request: object | undefined): Answer {
  return request ? [200, request] : missing;
}

function noAcknowledgement(place: string): LetheError {
  return new LetheError('CONFIG_INVALID', `the acknowledgement is none${place}`, {
    fix: 'Send {recipient} and, as there is, reference; a text of at most 1,000 characters.',
  });
}

/** Names the field: what stood in it is not said again. */
function malformed(place: string, types: readonly string[]): LetheError {
  return new LetheError('CONFIG_INVALID', `the request is none${place}`, {
    fix: `Send {subject: {type: ${types.join(' or ')}, id}, reason} and, as there are, requestId, receivedAt (2026-01-31T09:30:00Z, past), identity; texts of at most 1,000 characters.`,
  });
}
