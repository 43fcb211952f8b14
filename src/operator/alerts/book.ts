import type { Alert } from '../../ledger/store.ts';
import type { Registry } from '../registry.ts';
import { livingAlert, type LivingAlert } from './definition.ts';

/** The alerts that there are. Those of a project that was deleted are gone with it. */
export class AlertBook {
  readonly #alerts = new Map<number, LivingAlert>();

  constructor(
    alerts: readonly Alert[],
    readonly registry: Registry,
  ) {
    for (const alert of alerts) this.put(alert);
  }

  put(alert: Alert): LivingAlert {
    const living = livingAlert(alert);
    this.#alerts.set(alert.id, living);
    return living;
  }

  drop(id: number): void {
    this.#alerts.delete(id);
  }

  get(id: number): LivingAlert | null {
    const living = this.#alerts.get(id);
    return living !== undefined && this.#lives(living.alert) ? living : null;
  }

  /** Those of deleted projects too: their secrets are still in memory. */
  all(): LivingAlert[] {
    return [...this.#alerts.values()];
  }

  has(id: number): boolean {
    return this.#alerts.has(id);
  }

  /** Oldest first. */
  list(): LivingAlert[] {
    return [...this.#alerts.values()].filter(({ alert }) => this.#lives(alert));
  }

  /** Whether there is none at all: nobody has to look at anything then. */
  get isEmpty(): boolean {
    return this.#alerts.size === 0;
  }

  #lives({ projectId }: Alert): boolean {
    return projectId === null || this.registry.projects.has(projectId);
  }
}
