/** One JSON object a line on the standard error. Fields must hold no secret. */
export function logEvent(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stderr.write(`${JSON.stringify({ event, ...fields })}\n`);
}
