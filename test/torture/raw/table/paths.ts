import { chatBody, PATH, usual, vector, type Parts, type Vector } from './vector.ts';

/** Ways of writing a path that is not the path of a route. The first part is what a proxy would let through. */
const WAYS: Readonly<Record<string, (path: string) => string>> = {
  dots: (path) => `/v1/..${path}`,
  'encoded dots': (path) => `/v1/%2e%2e${path}`,
  'half encoded dots': (path) => `/v1/.%2E${path}`,
  'dots and a backslash': (path) => `/v1/..\\${path.slice(1)}`,
  'encoded dots and a backslash': (path) => `/v1/%2e%2e\\${path.slice(1)}`,
  'twice encoded dots': (path) => `/v1/%252e%252e${path}`,
  'an encoded slash': (path) => `/v1/..%2f${path.slice(1)}`,
  'an encoded backslash': (path) => `/v1/..%5c${path.slice(1)}`,
  'dots and a semicolon': (path) => `/v1/..;${path}`,
  'two slashes': (path) => `/${path}`,
  'two slashes within': (path) => path.replaceAll('/', '//'),
  'a dot': (path) => `/.${path}`,
  backslashes: (path) => path.replaceAll('/', '\\'),
  'a slash, then backslashes': (path) => `/${path.slice(1).replaceAll('/', '\\')}`,
  'encoded slashes': (path) => `/${path.slice(1).replaceAll('/', '%2f')}`,
  'an encoded letter': (path) => path.replace('v1', '%761'),
  'a twice encoded letter': (path) => path.replace('v1', '%25761'),
  capitals: (path) => path.toUpperCase(),
  'a slash at the end': (path) => `${path}/`,
  'a NUL at the end': (path) => `${path}%00`,
  'a line end': (path) => `${path}%0d%0aX:%20y`,
  'a matrix': (path) => `${path};a=b`,
  'a question': (path) => `${path}?a=b`,
  'a fragment': (path) => `/v1/models#${path}`,
  'a fragment behind': (path) => `${path}#/v1`,
  'a user': (path) => `http://localhost@example.com${path}`,
  'an absolute form with dots': (path) => `http://localhost/v1/..${path}`,
  'a tab': (path) => `/v1/.\t.${path}`,
  'full width': (path) => path.replace('v1', '\xef\xbd\x96\xef\xbc\x91'),
  overlong: (path) => `/v1/%c0%ae%c0%ae${path}`,
};

function chatAt(write: (path: string) => string) {
  return (parts: Parts): string => {
    const body = chatBody(parts, 'seen');
    return `POST ${write(PATH)} HTTP/1.1\r\nHost: localhost\r\n${usual(parts)}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
}

/** With the key of an application: whatever the path becomes, no project may come of it. */
function operatorAt(write: (path: string) => string) {
  return (parts: Parts): string => {
    const body = JSON.stringify({ name: `stolen-${parts.name}` });
    return `POST ${write('/admin/v1/projects')} HTTP/1.1\r\nHost: localhost\r\n${usual(parts)}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
}

/** With the token of an operator, on a path that goes around what a proxy lets through. */
function around(write: (path: string) => string) {
  return (parts: Parts): string => {
    const body = JSON.stringify({ name: `around-${parts.name}` });
    const lines = `Authorization: Bearer ${parts.operatorToken}\r\nContent-Type: application/json\r\n`;
    return `POST ${write('/admin/v1/projects')} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
}

/** Paths that could lead to another route than a proxy in front thinks. */
export function pathVectors(): Vector[] {
  return [
    ...Object.entries(WAYS).flatMap(([name, write]) => [
      vector('path to the model', name, chatAt(write)),
      vector('path to operators, with a key', name, operatorAt(write)),
      vector('path to operators, with a token', name, around(write)),
    ]),
    vector('tunnel', 'CONNECT to a host', (parts) => `CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n${usual(parts)}\r\n`),
    vector('tunnel', 'CONNECT to a path', (parts) => `CONNECT ${PATH} HTTP/1.1\r\nHost: localhost\r\n${usual(parts)}\r\n`),
    vector(
      'tunnel',
      'CONNECT with a body',
      (parts) => `CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n${usual(parts)}Content-Length: 5\r\n\r\nhello`,
    ),
    vector('tunnel', 'OPTIONS *', () => 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  ];
}
