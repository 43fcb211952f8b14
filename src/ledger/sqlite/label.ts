import { spendLabel } from '../../domain/belonging.ts';

/** The two columns of a decision that name models; `models` is a JSON array, and null when `model` is the only one. */
export interface ModelColumns {
  readonly model: string;
  readonly models: string | null;
}

/** What the spend of a decision's row is kept under, so that a budget for one of the models that it could reach counts it. */
export function labelOf({ model, models }: ModelColumns): string {
  return models === null ? model : spendLabel(JSON.parse(models) as string[]);
}
