import type { Mutation } from './mutation.ts';

/** What could go wrong where the path takes a shorter way: floods, unread bodies, long texts, deltas. */
export const PATH: readonly Mutation[] = [
  {
    name: 'an early look denies one end user for another',
    file: 'src/policy/early.ts',
    find: "section.scope === 'user' ?",
    replace: 'false ?',
    tests: ['test/policy/early.test.ts'],
  },
  {
    name: 'an early look promises that waiting helps',
    file: 'src/policy/early.ts',
    find: 'return finding?.retryable === true ? null : finding;',
    replace: 'return finding;',
    tests: ['test/policy/early.test.ts'],
  },
  {
    name: 'a second attempt goes by who the caller was',
    file: 'src/gateway/pipeline.ts',
    find: 'const isAsBefore = changes === gateway.directory.changes',
    replace: 'const isAsBefore = (left < MAX_ATTEMPTS || changes === gateway.directory.changes)',
    tests: ['test/gateway/retry.test.ts'],
  },
  {
    name: 'what is settled by the last commit is not waited for',
    file: 'src/ledger/sqlite/open-ledger.ts',
    find: '&& engine.queueLength > 0',
    replace: '&& engine.queueLength < 0',
    tests: ['test/gateway/durable.test.ts'],
  },
  {
    name: 'an early look lets nothing pass',
    file: 'src/ledger/engine.ts',
    find: 'if (verdict.allow) return null;',
    replace:
      "if (verdict.allow) return this.#denials.again(candidate, policyVersion, { ...verdict, allow: false, finding: { reason: 'sentry_mode' } } as never, 0);",
    tests: ['test/gateway/flood.test.ts'],
  },
  {
    name: 'an early denial is not counted',
    file: 'src/ledger/sqlite/denials.ts',
    find: '    known.count++;\n    return known.decision;',
    replace: '    return known.decision;',
    tests: ['test/gateway/flood.test.ts'],
  },
  {
    name: 'a connection with an unread body is kept',
    file: 'src/gateway/unread-body.ts',
    find: 'setImmediate(resolve, false)',
    replace: 'setImmediate(resolve, true)',
    tests: ['test/gateway/flood.test.ts'],
  },
  {
    name: 'a long text that a client marks itself is left unread',
    file: 'src/wire/json/long-text.ts',
    find: 'if (MARK_ESCAPED.test(between)) return null;',
    replace: '',
    tests: ['test/wire/json/long-text.test.ts'],
  },
  {
    name: 'a delta with another shape is taken for the last one',
    file: 'src/wire/stream/template.ts',
    find: 'if (bytes[at] !== own[index]) return -1;',
    replace: 'if (bytes[at] === undefined) return own[index]!;',
    tests: ['test/wire/template.test.ts'],
  },
  {
    name: 'a key that expires while its body arrives passes',
    file: 'src/gateway/pipeline.ts',
    find: 'known.key.expiresAtMs === null &&',
    replace: '',
    tests: ['test/gateway/durable.test.ts'],
  },
  {
    name: 'calls of hosted tools in a very large answer cost nothing',
    file: 'src/wire/large-answer.ts',
    find: 'this.#calls.push({ type });',
    replace: 'void type;',
    tests: ['test/gateway/endings.test.ts'],
  },
  {
    name: 'a large body is gone before it is sent a second time',
    file: 'src/gateway/pipeline.ts',
    find: 'if (answer instanceof FieldRefused) continue;',
    replace: 'if (answer instanceof FieldRefused) release(received, gateway.bodies);\n      if (answer instanceof FieldRefused) continue;',
    tests: ['test/gateway/retry.test.ts'],
  },
  {
    name: 'the memory of a large body waits for the collection',
    file: 'src/gateway/receive.ts',
    find: 'buffer.transfer(0);',
    replace: 'void buffer;',
    tests: ['test/gateway/receive.test.ts'],
  },
];
