import type { AnyElysia } from 'elysia';

/**
 * Whether the path of a request stood in its first line as the routes have it. The server below us tidies paths up before we see them: it
 * resolves dots and takes a backslash for a slash, which a proxy in front that lets only some paths through does not. What was tidied up
 * is no route of its own table, and so has none of the parameters that it puts into the requests of its routes. A request that came
 * over no socket (`peer` is null) has nothing to show.
 */
export function isLiteral(request: Request, peer: string | null): boolean {
  return peer === null || 'params' in request;
}

/** What makes every path that begins with `prefix` a route of the server's own table, in the words of `Bun.serve`. */
export function literalRoutes(prefix: string, app: () => AnyElysia): Record<string, (request: Request) => Response | Promise<Response>> {
  return { [`${prefix}/*`]: (request) => app().fetch(request) };
}
