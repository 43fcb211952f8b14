/** Bodies of at most this announced size are taken off the connection, so that it can be used again. */
const MAX_UNREAD_BYTES = 256 * 1024;

/**
 * Whether the body of a request that nobody will read is off the connection within this turn of the event loop: nearly every small
 * body comes with its headers. For any other one the connection has to be closed: waiting for it would let a client hold the
 * connection for as long as it likes to drip.
 */
export function bodyIsHere(request: Request): Promise<boolean> {
  const { headers } = request;
  const length = headers.get('content-length');
  if (length === null ? headers.has('transfer-encoding') : !(Number(length) <= MAX_UNREAD_BYTES)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const later = setImmediate(resolve, false);
    const here = () => {
      clearImmediate(later);
      resolve(true);
    };
    request.bytes().then(here, () => resolve(false));
  });
}
