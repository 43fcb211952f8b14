const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An id like `chatcmpl-` + 29 letters and digits, unique enough for tests. */
export function letterId(prefix: string, length: number): string {
  let id = prefix;
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) id += LETTERS[byte % LETTERS.length]!;
  return id;
}

/** An id like `resp_` + 50 hexadecimal digits. */
export function hexId(prefix: string): string {
  return prefix + Buffer.from(crypto.getRandomValues(new Uint8Array(25))).toString('hex');
}
