import { Elysia, type AnyElysia } from 'elysia';
import icon from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' };
import script from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };
import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import { openapiDocument } from './openapi.ts';

/** Assets carry no version in their address: a day is short enough after an upgrade. */
const ASSET_CACHE = 'public, max-age=86400';

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Panicly API</title>
<link rel="icon" href="/favicon.ico">
<link rel="stylesheet" href="/docs/ui.css">
</head>
<body>
<div id="ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/ui.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true, validatorUrl: null, persistAuthorization: false });
`;

const hidden = { detail: { hide: true } } as const;

/**
 * `/openapi.json` and `/docs`, all from inside the binary. `root` returns the application whose routes are documented:
 * it is asked at the first request, when every route is there.
 */
export function docsRoutes(root: () => AnyElysia): AnyElysia {
  let document: Promise<string> | null = null;
  const documentText = () => (document ??= openapiDocument(root()).then((built) => JSON.stringify(built)));
  return new Elysia({ name: 'docs' })
    .get('/openapi.json', async () => text(await documentText(), 'application/json'), hidden)
    .get('/docs', () => text(PAGE, 'text/html; charset=utf-8', { 'content-security-policy': PAGE_POLICY }), hidden)
    .get('/docs/start.js', () => text(START, 'text/javascript; charset=utf-8'), hidden)
    .get('/docs/ui.js', () => asset(script, 'text/javascript; charset=utf-8'), hidden)
    .get('/docs/ui.css', () => asset(style, 'text/css; charset=utf-8'), hidden)
    .get('/favicon.ico', () => asset(icon, 'image/png'), hidden);
}

function text(body: string, type: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    headers: { 'content-type': type, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', ...headers },
  });
}

function asset(path: string, type: string): Response {
  return new Response(Bun.file(path), {
    headers: { 'content-type': type, 'x-content-type-options': 'nosniff', 'cache-control': ASSET_CACHE },
  });
}
