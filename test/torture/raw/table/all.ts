import { fieldVectors } from './fields.ts';
import { framingVectors } from './framing.ts';
import { lineVectors } from './lines.ts';
import { pathVectors } from './paths.ts';
import type { Vector } from './vector.ts';

/** Every vector, in an order that stays. */
export const VECTORS: readonly Vector[] = [...framingVectors(), ...lineVectors(), ...fieldVectors(), ...pathVectors()];
