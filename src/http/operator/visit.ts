import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { AnyElysia, DocumentDecoration } from 'elysia';
import type { Actor, Office } from '../../operator/office.ts';
import { refusalOf } from '../../operator/outcome.ts';
import type { Scope } from '../../operator/scope.ts';
import { operatorDetail } from '../detail.ts';
import { errorResponse } from '../errors.ts';
import { mustOwn, OperatorDoor, type Reach } from '../operator-auth.ts';
import { bodyOf, noBodyOf, queryOf } from '../operator-body.ts';
import { closed } from '../schemas/named.ts';

/** What a handler gets once the operator was let in and what was sent is known to be right. */
export interface Visit<Body, Query> {
  readonly request: Request;
  readonly server: AnyElysia['server'];
  readonly actor: Actor;
  /** What this operator may see: everything that is looked up is looked up in it. */
  readonly scope: Scope;
  /** The `:id` of the address; empty on routes without one. */
  readonly id: string;
  readonly params: { readonly [name: string]: string };
  readonly body: Body;
  readonly query: Query;
}

/** What a route takes and gives. One source: it is checked against this, and documented from it. */
export interface RouteShape<Body extends TSchema, Query extends TObject> {
  readonly operationId: string;
  readonly summary: string;
  /**
   * For whom it is. Without one, operators who are bound to a workspace are refused. `workspace` lets them in: then the work must
   * look up and list nothing but through `scope`.
   */
  readonly reach?: Reach;
  /** Without one, a request with a body that says anything is refused. */
  readonly body?: Body;
  /** An empty body is taken for an object that says nothing. */
  readonly isBodyOptional?: boolean;
  /** How large the body may be; 1 MB when absent. */
  readonly bodyBytes?: number;
  /** Without one, every parameter is refused. */
  readonly query?: Query;
  readonly answer?: TSchema;
  /** 200 when absent; 201 for what is made, 204 for no body. */
  readonly success?: number;
  /** Errors besides the usual ones. */
  readonly statuses?: readonly number[];
}

interface Context {
  readonly request: Request;
  readonly server: AnyElysia['server'];
  /** Left out on addresses without parameters. */
  readonly params?: { readonly [name: string]: string };
}

type Handler = (context: Context) => Promise<Response>;
type Hook = { readonly parse: 'none'; readonly detail: DocumentDecoration };
type Work<Body, Query> = (visit: Visit<Body, Query>) => unknown;

/** Handler and hook, as Elysia takes them. */
export type RouteParts = readonly [Handler, Hook];

const NOTHING = closed({});
const TAG = 'operator';

/** Lets operators in and checks what they send: the one way to every route of the operator API. */
export class Visits {
  readonly #door: OperatorDoor;

  constructor(office: Office) {
    this.#door = new OperatorDoor(office);
  }

  /** A route that only looks: for every operator. */
  read<Body extends TSchema = TObject, Query extends TObject = typeof NOTHING>(
    shape: RouteShape<Body, Query>,
    work: Work<Static<Body>, Static<Query>>,
  ): RouteParts {
    return this.#route(shape, false, work);
  }

  /** A route that changes something: for owners. */
  write<Body extends TSchema = TObject, Query extends TObject = typeof NOTHING>(
    shape: RouteShape<Body, Query>,
    work: Work<Static<Body>, Static<Query>>,
  ): RouteParts {
    return this.#route(shape, true, work);
  }

  #route<Body extends TSchema, Query extends TObject>(
    shape: RouteShape<Body, Query>,
    writes: boolean,
    work: Work<Static<Body>, Static<Query>>,
  ): RouteParts {
    // Elysia reads the text of this function and prepares only what it names.
    const handler: Handler = async ({ request, server, params }) => {
      try {
        return await this.#visit({ request, server, params: params ?? {} }, shape, writes, work);
      } catch (error) {
        return errorResponse(refusalOf(error), null);
      }
    };
    return [handler, { parse: 'none', detail: detailOf(shape) }];
  }

  async #visit<Body extends TSchema, Query extends TObject>(
    { request, server, params }: Required<Context>,
    shape: RouteShape<Body, Query>,
    writes: boolean,
    work: Work<Static<Body>, Static<Query>>,
  ): Promise<Response> {
    const peer = server?.requestIP(request)?.address ?? null;
    const operator = this.#door.enter(request, peer, shape.reach);
    if (writes) mustOwn(operator);
    const query = queryOf(request, shape.query ?? NOTHING) as Static<Query>;
    const body = (
      shape.body ? await bodyOf(request, shape.body, shape.isBodyOptional, shape.bodyBytes) : writes ? await noBodyOf(request) : {}
    ) as Static<Body>;
    const actor = { id: operator.publicId, ip: peer };
    const scope = { workspaceId: operator.workspaceId };
    const result = await work({ request, server, params, actor, scope, id: params['id'] ?? '', body, query });
    if (result instanceof Response) return result;
    return result === undefined ? new Response(null, { status: 204 }) : Response.json(result, { status: shape.success ?? 200 });
  }
}

function detailOf<Body extends TSchema, Query extends TObject>(shape: RouteShape<Body, Query>): DocumentDecoration {
  const { body, isBodyOptional: _optional, bodyBytes: _bytes, reach: _reach, ...rest } = shape;
  return operatorDetail({ ...rest, tag: TAG, ...(body ? { request: body } : {}) });
}

/** The length of a page. */
export function limitOf(limit: string | undefined): number {
  return Number(limit ?? 50);
}
