import { belongingOf, spendLabel } from '../../domain/belonging.ts';
import type { LedgerEngine } from '../engine.ts';
import type { LedgerMemory } from '../memory.ts';
import type { Alert, AuditEvent, DecisionFilter, NewConnection, Owner, Store, UsageFilter } from '../store.ts';
import type * as words from '../store.ts';
import type { CommandArgs, CommandName, CommandResult } from './commands.ts';
import type { QueryArgs, QueryName, QueryResult } from './queries.ts';
import { ReaderLink } from './reader-link.ts';

/** How long a list waits for rows that are still on their way to the disk. */
const FRESH_MS = 500;

/** The operators' side of the ledger: writes through the writer, in order with decisions; reads through the reader. */
export class SqliteStore implements Store {
  #sentryTurns = 0;
  readonly #lastSentryOn = new Map<string, number>();
  /** Another reader for work that takes long, made when there is some. */
  #bulk: ReaderLink | null = null;

  constructor(
    readonly engine: LedgerEngine,
    readonly memory: LedgerMemory,
    readonly reader: ReaderLink,
  ) {}

  firstStart(first: words.FirstStart, audit?: AuditEvent) {
    return this.#write('firstStart', first, audit);
  }

  createWorkspace(workspace: words.NewWorkspace, audit?: AuditEvent) {
    return this.#write('createWorkspace', workspace, audit);
  }

  updateWorkspace(id: number, change: words.WorkspaceChange, audit?: AuditEvent) {
    return this.#write('updateWorkspace', { id, change }, audit);
  }

  createProject(project: words.NewProject, audit?: AuditEvent) {
    return this.#write('createProject', project, audit);
  }

  renameProject(id: number, name: string, audit?: AuditEvent) {
    return this.#write('renameProject', { id, name }, audit);
  }

  deleteProject(id: number, audit?: AuditEvent) {
    return this.#write('deleteProject', id, audit);
  }

  createKey(key: words.NewKey, audit?: AuditEvent) {
    return this.#write('createKey', key, audit);
  }

  revokeKey(id: number, audit?: AuditEvent) {
    return this.#write('revokeKey', id, audit);
  }

  rotateKey(id: number, key: words.NewKey, endsAtMs: number | null, audit?: AuditEvent) {
    return this.#write('rotateKey', { id, key, endsAtMs }, audit);
  }

  async correct(recorded: words.RecordedDecision, costNanoUsd: number, note: string, author: string, audit?: AuditEvent) {
    const { seq, candidate } = recorded.decision;
    const made = await this.#write('correct', { decisionSeq: seq, costNanoUsd, note, author }, audit);
    if (made === null) return null;
    const { deltaNanoUsd, settledAtMs, ...correction } = made;
    const label = spendLabel(candidate.models);
    this.memory.correct({ who: belongingOf(candidate), label, costNanoUsd: deltaNanoUsd, atMs: settledAtMs });
    return correction;
  }

  recordAudit(audit: AuditEvent) {
    return this.#write('recordAudit', undefined, audit);
  }

  createConnection(connection: NewConnection, audit?: AuditEvent) {
    return this.#write('createConnection', connection, audit);
  }

  updateConnection(id: number, change: words.ConnectionChange, audit?: AuditEvent) {
    return this.#write('updateConnection', { id, change }, audit);
  }

  deleteConnection(id: number, audit?: AuditEvent) {
    return this.#write('deleteConnection', id, audit);
  }

  savePolicy(owner: Owner, document: string, author: string, audit?: AuditEvent) {
    return this.#write('savePolicy', { owner, document, author }, audit);
  }

  async grantCredits(workspaceId: number, requests: number, note: string, author: string, audit?: AuditEvent) {
    const entry = await this.#write('grantCredits', { workspaceId, requests, note, author }, audit);
    this.memory.grantCredits(workspaceId, requests);
    return entry;
  }

  async setSentry(owner: Owner, enabled: boolean, author: string, audit?: AuditEvent) {
    const turnNumber = ++this.#sentryTurns;
    if (enabled) this.#lastSentryOn.set(JSON.stringify(owner), turnNumber);
    if (enabled) this.memory.setSentry(owner, true);
    const turn = await this.#write('setSentry', { owner, enabled, author }, audit);
    // Who switched it on again meanwhile is not overruled by an earlier off.
    const overruled = (this.#lastSentryOn.get(JSON.stringify(owner)) ?? 0) > turnNumber;
    if (!enabled && !overruled) this.memory.setSentry(owner, false);
    return turn;
  }

  createOperator(operator: words.NewOperator, audit?: AuditEvent) {
    return this.#write('createOperator', operator, audit);
  }

  deleteOperator(id: number, audit?: AuditEvent) {
    return this.#write('deleteOperator', id, audit);
  }

  setPrice(provider: string, model: string, price: string | null, author: string, audit?: AuditEvent) {
    return this.#write('setPrice', { provider, model, price, author }, audit);
  }

  createAlert(alert: Omit<Alert, 'id' | 'createdAtMs'>, audit?: AuditEvent) {
    return this.#write('createAlert', alert, audit);
  }

  deleteAlert(id: number, audit?: AuditEvent) {
    return this.#write('deleteAlert', id, audit);
  }

  loadDirectory() {
    return this.#read('loadDirectory', undefined);
  }

  listDecisions(filter: DecisionFilter, cursor: number | null, limit: number) {
    return this.#read('listDecisions', { filter, cursor, limit });
  }

  getDecision(seq: number) {
    return this.#read('getDecision', seq);
  }

  projectOfResponse(responseId: string) {
    return this.#read('projectOfResponse', responseId);
  }

  usage(filter: UsageFilter) {
    return this.#read('usage', filter);
  }

  listAudit(cursor: number | null, limit: number) {
    return this.#read('listAudit', { cursor, limit });
  }

  listPolicies(owner: Owner) {
    return this.#read('listPolicies', owner);
  }

  listCredits(workspaceId: number) {
    return this.#read('listCredits', workspaceId);
  }

  async verify() {
    await this.engine.flushed(FRESH_MS);
    this.#bulk ??= new ReaderLink(this.reader.url, this.reader.path);
    return this.#bulk.ask('verify', this.reader.path);
  }

  /** Ends the readers, after what they were asked. */
  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.#bulk?.close()]);
  }

  #write<Name extends CommandName>(name: Name, args: CommandArgs<Name>, audit: AuditEvent | undefined): Promise<CommandResult<Name>> {
    return this.engine.command({ name, args, audit: audit ?? null });
  }

  /** People see what happened before they asked, gathered denials included; a ledger that hangs shows what is on disk. */
  async #read<Name extends QueryName>(name: Name, args: QueryArgs<Name>): Promise<QueryResult<Name>> {
    await this.engine.flushed(FRESH_MS);
    return this.reader.ask(name, args);
  }
}
