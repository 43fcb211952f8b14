/** The document without what stands there by default anyway. `parsePolicy` fills it in again. */
export function withoutDefaults(document: object, defaults: object): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) {
    const usual = (defaults as Readonly<Record<string, unknown>>)[name];
    if (Bun.deepEquals(value, usual)) continue;
    told[name] = isTable(value) && isTable(usual) ? withoutDefaults(value, usual) : value;
  }
  return told;
}

/** The document with its defaults, but without what is null by default. */
export function withoutNulls(document: object, defaults: object): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) {
    const usual = (defaults as Readonly<Record<string, unknown>>)[name];
    if (value === null && usual === null) continue;
    told[name] = isTable(value) && isTable(usual) ? withoutNulls(value, usual) : value;
  }
  return told;
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
