import { belongingOf, spendLabel } from '../../domain/belonging.ts';
import type { LedgerEngine } from '../engine.ts';
import type { DeliveryFilter, DeliveryProgress, NewDelivery, ResealedAlert } from '../alert-store.ts';
import type { ApplyRequest } from '../apply-store.ts';
import type { Span } from '../archive-store.ts';
import type { LedgerMemory } from '../memory.ts';
import type { Alert, AuditEvent, DecisionFilter, NewConnection, Owner, Store, UsageFilter } from '../store.ts';
import type { NewCatalogue } from '../catalogue-store.ts';
import type { EarlierHead, PruneStep } from '../keep-store.ts';
import type * as words from '../store.ts';
import type { ChainSeals } from './chain/key.ts';
import type { ApplyOutcome } from './apply-commands.ts';
import type { CommandArgs, CommandName, CommandResult } from './commands.ts';
import { correctionSince } from './corrections.ts';
import { changed, connected, made, newestOf, rotated, type Find } from './found-again.ts';
import type { QueryArgs, QueryName, QueryResult } from './queries.ts';
import { ReaderLink } from './reader-link.ts';
import type { Reseal } from './reseal.ts';

/** How long a list waits for rows that are still on their way to the disk. */
const FRESH_MS = 500;
/** How long a stop waits for what reads a whole file: that may take minutes, and changes nothing. */
const LAST_WORK_MS = 1_000;

/** The operators' side of the ledger: writes through the writer, in order with decisions; reads through the reader. */
export class SqliteStore implements Store {
  #sentryTurns = 0;
  readonly #lastSentryOn = new Map<string, number>();
  /** Two more readers, made when there is work for them: one for exports, page by page, and one for what reads a whole file at once. */
  #bulk: ReaderLink | null = null;
  #slow: ReaderLink | null = null;

  constructor(
    readonly engine: LedgerEngine,
    readonly memory: LedgerMemory,
    readonly reader: ReaderLink,
    readonly seals: ChainSeals,
  ) {}

  firstStart(first: words.FirstStart, audit?: AuditEvent) {
    return this.#write('firstStart', first, audit);
  }

  createWorkspace(workspace: words.NewWorkspace, audit?: AuditEvent) {
    return this.#told('createWorkspace', workspace, audit, made('workspaces', workspace.publicId));
  }

  updateWorkspace(id: number, change: words.WorkspaceChange, audit?: AuditEvent) {
    return this.#told('updateWorkspace', { id, change }, audit, changed('workspaces', id));
  }

  createProject(project: words.NewProject, audit?: AuditEvent) {
    return this.#told('createProject', project, audit, made('projects', project.publicId));
  }

  renameProject(id: number, name: string, audit?: AuditEvent) {
    return this.#told('renameProject', { id, name }, audit, changed('projects', id));
  }

  deleteProject(id: number, audit?: AuditEvent) {
    return this.#write('deleteProject', id, audit);
  }

  createKey(key: words.NewKey, audit?: AuditEvent) {
    return this.#told('createKey', key, audit, made('keys', key.publicId));
  }

  revokeKey(id: number, audit?: AuditEvent) {
    return this.#told('revokeKey', id, audit, changed('keys', id));
  }

  rotateKey(id: number, key: words.NewKey, endsAtMs: number | null, audit?: AuditEvent) {
    return this.#told('rotateKey', { id, key, endsAtMs }, audit, rotated(id, key));
  }

  async correct(recorded: words.RecordedDecision, costNanoUsd: number, note: string, author: string, audit?: AuditEvent) {
    const { seq, candidate } = recorded.decision;
    const written = await this.#write('correct', { decisionSeq: seq, costNanoUsd, note, author }, audit);
    // A writer that died after its commit says nothing of it, and what stands in the file has to count.
    const made = written ?? correctionSince(recorded, await this.getDecision(seq));
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
    return this.#told('createConnection', connection, audit, connected(connection.publicId));
  }

  updateConnection(id: number, change: words.ConnectionChange, audit?: AuditEvent) {
    return this.#told('updateConnection', { id, change }, audit, connected(id));
  }

  deleteConnection(id: number, audit?: AuditEvent) {
    return this.#write('deleteConnection', id, audit);
  }

  savePolicy(owner: Owner, document: string, author: string, audit?: AuditEvent) {
    return this.#told('savePolicy', { owner, document, author }, audit, newestOf('policies', owner));
  }

  async grantCredits(workspaceId: number, requests: number, note: string, author: string, audit?: AuditEvent) {
    // Nothing may be admitted any more on what is being taken back.
    if (requests < 0) this.memory.grantCredits(workspaceId, requests);
    const writing = this.#write('grantCredits', { workspaceId, requests, note, author }, audit);
    const written: words.CreditEntry | null = await writing.catch((error: unknown) => {
      if (requests < 0) this.memory.grantCredits(workspaceId, -requests);
      throw error;
    });
    if (requests > 0) this.memory.grantCredits(workspaceId, requests);
    return written ?? (await this.listCredits(workspaceId))[0]!;
  }

  async setSentry(owner: Owner, enabled: boolean, author: string, audit?: AuditEvent) {
    const turnNumber = ++this.#sentryTurns;
    if (enabled) this.#lastSentryOn.set(JSON.stringify(owner), turnNumber);
    if (enabled) this.memory.setSentry(owner, true);
    const turn = await this.#told('setSentry', { owner, enabled, author }, audit, newestOf('switches', owner));
    // Who switched it on again meanwhile is not overruled by an earlier off.
    const overruled = (this.#lastSentryOn.get(JSON.stringify(owner)) ?? 0) > turnNumber;
    if (!enabled && !overruled) this.memory.setSentry(owner, false);
    return turn;
  }

  createOperator(operator: words.NewOperator, audit?: AuditEvent) {
    return this.#told('createOperator', operator, audit, made('operators', operator.publicId));
  }

  deleteOperator(id: number, audit?: AuditEvent) {
    return this.#write('deleteOperator', id, audit);
  }

  setPrice(provider: string, model: string, price: string | null, author: string, audit?: AuditEvent) {
    return this.#write('setPrice', { provider, model, price, author }, audit);
  }

  saveCatalogue(catalogue: NewCatalogue, audit?: AuditEvent) {
    return this.#write('saveCatalogue', catalogue, audit);
  }

  listCatalogues() {
    return this.#read('listCatalogues', undefined);
  }

  catalogueDocument(sha256: string) {
    return this.#read('catalogueDocument', sha256);
  }

  lastPriceSeq() {
    return this.#read('lastPriceSeq', undefined);
  }

  createAlert(alert: Omit<Alert, 'id' | 'createdAtMs'>, audit?: AuditEvent) {
    return this.#told('createAlert', alert, audit, made('alerts', alert.publicId));
  }

  deleteAlert(id: number, audit?: AuditEvent) {
    return this.#write('deleteAlert', id, audit);
  }

  fireAlerts(deliveries: readonly NewDelivery[]) {
    return this.#write('fireAlerts', deliveries, undefined);
  }

  recordDeliveries(progress: readonly DeliveryProgress[]) {
    return this.#write('recordDeliveries', progress, undefined);
  }

  dropDeliveries(ids: readonly number[]) {
    return this.#write('dropDeliveries', ids, undefined);
  }

  async applySteps(request: ApplyRequest) {
    // A writer that died over a command leaves a successor that only knows whether it was committed.
    const outcome: ApplyOutcome | null = (await this.#write('applySteps', request, undefined)) ?? null;
    return outcome ?? ('unknown' as const);
  }

  resealAlerts(resealed: readonly ResealedAlert[]) {
    return this.#write('resealAlerts', resealed, undefined);
  }

  dueDeliveries(nowMs: number, limit: number, busyAlertIds: readonly number[], busyIds: readonly string[]) {
    return this.#read('dueDeliveries', { nowMs, limit, busyAlertIds, busyIds });
  }

  listDeliveries(filter: DeliveryFilter, cursor: number | null, limit: number) {
    return this.#read('listDeliveries', { filter, cursor, limit });
  }

  deliveryCounts() {
    return this.#read('deliveryCounts', undefined);
  }

  settledDeliveries(beforeMs: number, afterId: number, limit: number) {
    return this.#read('settledDeliveries', { beforeMs, afterId, limit });
  }

  newestDeliveries(types: readonly string[]) {
    return this.#read('newestDeliveries', types);
  }

  lookBack() {
    return this.#read('lookBack', undefined);
  }

  loadDirectory() {
    return this.#read('loadDirectory', undefined);
  }

  listDecisions(filter: DecisionFilter, cursor: number | null, limit: number) {
    return this.#read('listDecisions', { filter, cursor, limit });
  }

  getDecision(seq: number, workspaceId?: number) {
    return this.#read('getDecision', { seq, workspaceId });
  }

  projectOfResponse(responseId: string) {
    return this.#read('projectOfResponse', responseId);
  }

  sealedValues() {
    return this.#read('sealedValues', undefined);
  }

  reseal(what: Reseal, audit?: AuditEvent) {
    // From here on all of them open the chain: a writer that dies meanwhile is replaced by one that finds the right key.
    this.seals.keys = what.chainSeals;
    return this.#write('reseal', what, audit);
  }

  keyUses(projectId: number, toMs: number) {
    return this.#read('keyUses', { projectId, toMs });
  }

  usage(filter: UsageFilter) {
    return this.#read('usage', filter);
  }

  listAudit(cursor: number | null, limit: number, workspaceId?: number) {
    return this.#read('listAudit', { cursor, limit, workspaceId });
  }

  listPolicies(owner: Owner) {
    return this.#read('listPolicies', owner);
  }

  listCredits(workspaceId: number) {
    return this.#read('listCredits', workspaceId);
  }

  async verify(earlier: EarlierHead | null = null) {
    await this.engine.flushed(FRESH_MS);
    return this.#slowly('verify', { path: this.reader.path, sealKeys: this.seals.keys, earlier });
  }

  chainHead() {
    return this.#read('chainHead', this.reader.path);
  }

  firstSeqFrom(atMs: number) {
    return this.#read('firstSeqFrom', atMs);
  }

  prune(step: PruneStep, audit?: AuditEvent) {
    return this.#write('prune', step, audit);
  }

  async writeCopy(path: string) {
    await this.engine.flushed(FRESH_MS);
    await this.#slowly('writeCopy', { from: this.reader.path, to: path });
  }

  checkCopy(path: string) {
    return this.#slowly('checkCopy', { path, sealKeys: this.seals.keys });
  }

  lastSeq() {
    return this.#read('lastSeq', undefined);
  }

  exportDecisions(filter: DecisionFilter, fromSeq: number, lastSeq: number) {
    return this.#inBulk('exportDecisions', { filter, fromSeq, lastSeq });
  }

  exportUsage(filter: UsageFilter, fromMs: number) {
    return this.#inBulk('exportUsage', { filter, fromMs });
  }

  projectNames() {
    return this.#inBulk('projectNames', undefined);
  }

  async spend(span: Span) {
    await this.engine.flushed(FRESH_MS);
    return this.#inBulk('spend', span);
  }

  doubts(span: Span, fromSeq: number) {
    return this.#inBulk('doubts', { ...span, fromSeq });
  }

  correctionsIn(span: Span) {
    return this.#inBulk('correctionsIn', span);
  }

  /** Ends the readers, after what they were asked. */
  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.#bulk?.close(), this.#slow?.closeWithin(LAST_WORK_MS)]);
  }

  #write<Name extends CommandName>(name: Name, args: CommandArgs<Name>, audit: AuditEvent | undefined): Promise<CommandResult<Name>> {
    return this.engine.command({ name, args, audit: audit ?? null });
  }

  /** A writer that died after its commit says nothing of it: then what stands in the file is what was written. */
  async #told<Name extends CommandName>(
    name: Name,
    args: CommandArgs<Name>,
    audit: AuditEvent | undefined,
    find: Find<CommandResult<Name>>,
  ): Promise<CommandResult<Name>> {
    const written = await this.#write(name, args, audit);
    return written ?? find(await this.loadDirectory()) ?? written;
  }

  #inBulk<Name extends QueryName>(name: Name, args: QueryArgs<Name>): Promise<QueryResult<Name>> {
    this.#bulk ??= new ReaderLink(this.reader.url, this.reader.path, true);
    return this.#bulk.ask(name, args);
  }

  #slowly<Name extends QueryName>(name: Name, args: QueryArgs<Name>): Promise<QueryResult<Name>> {
    this.#slow ??= new ReaderLink(this.reader.url, this.reader.path, true);
    return this.#slow.ask(name, args);
  }

  /** People see what happened before they asked, gathered denials included; a ledger that hangs shows what is on disk. */
  async #read<Name extends QueryName>(name: Name, args: QueryArgs<Name>): Promise<QueryResult<Name>> {
    await this.engine.flushed(FRESH_MS);
    return this.reader.ask(name, args);
  }
}
