import type { Bite } from '../row.ts';

/** The defect that every row about the disk and the death of the process is there to find (I1). */
export const FORWARDS_EARLY: Bite = {
  name: 'a request is forwarded before its decision is committed',
  edits: [
    {
      file: 'src/ledger/engine.ts',
      find: 'return admission.promise;',
      replace: 'void admission.promise.catch(() => undefined);\n    return decision;',
    },
  ],
};
