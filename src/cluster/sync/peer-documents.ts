import type { Heads } from './document-messages.ts';

/**
 * Who knows what about each document, with one peer, for the time of one session; decides what to tell it next.
 * Pure: it is told what happened and when, and says what is due.
 *
 *     session up     both tell the heads of all their documents; what is equal is left alone
 *     heard other    a document that differs is *pulled*: a sync message of ours starts the exchange about it
 *     own write      is *pushed*: a sync message of ours at once, which after the first exchange has the change in it
 *     relayed write  what came from another peer is only told: the peer has most likely got it from there, and pulls
 *                    after a moment if it has not
 *
 * For each document at most one message of ours is unanswered, and only a bounded number of documents are under way,
 * so a slow peer gets fewer and larger messages instead of a longer queue. A document that differs is always due,
 * under way, or to be pulled at some time: nothing can be forgotten while the session lasts.
 *
 * The root document says which zones there are, so it must not come before the documents of zones. Else a zone would
 * be there for a moment without its RRsets, and answer NXDOMAIN for all of them. So root is told last, and not before
 * the peer has something of each document that it lacked; and what the peer says of root is only taken in once all is
 * here that it has told of zones before. Both for a limited time.
 */
interface Link {
  /** What the peer said last that it has. */
  theirs: Heads;
  /** What we said last that we have; undefined when it must be told again. */
  told: Heads | undefined;
  /** The peer's message has come and is not answered yet. */
  owed: boolean;
  /** A message of ours is not answered yet. */
  awaiting: boolean;
  /** Messages of the peer since the document was last equal. */
  answers: number;
  /** Exchanges in a row for which our own engine had nothing to say. */
  fruitless: number;
  /** Heads of the peer that were refused here: there is no use in asking for them again. */
  refused: Heads | undefined;
  /** Heads of ours that the peer refused. */
  declined: Heads | undefined;
}

/** What to send about one document: a step of the exchange, or only what our heads are. */
export interface Due {
  readonly document: string;
  readonly kind: 'exchange' | 'heads';
}

/** How far a peer and this node are apart. */
export interface Behind {
  /** Documents whose heads differ. */
  readonly documents: number;
  /** Since when the longest has differed, by the clock of this state; undefined when none does. */
  readonly sinceMs: number | undefined;
}

/** Where a change of one of our documents came from. */
export type Origin = 'own' | 'peer';

/** What came with the peer's heads; `refused` when it could not take our message. */
export type Hearing = 'message' | 'heads' | 'refused';

/** Pulls under way at once: enough to fill a long link, and few megabytes at the other end. */
export const MAX_PULLS = 64;

/** With what we push ourselves. */
export const MAX_UNDER_WAY = 2 * MAX_PULLS;

/** In a full mesh the peer gets a relayed change from its author in this time. */
export const RELAY_GRACE_MS = 100;

/** Heads that move all the time put the pull off, but not for longer than this. */
export const MAX_GRACE_MS = 1000;

/** Whoever is behind pulls by itself; this is for what nobody thought of. */
export const RETRY_MS = 5000;

/** So often in a row an exchange may lead nowhere before it starts over. */
const MAX_FRUITLESS = 2;

/** The root document waits for documents of zones so long at most, once the first round is over. */
export const MAX_ROOT_HOLD_MS = 10_000;

/** After so many messages of the peer all is here that it had when it was asked. */
const ANSWERS_TO_CATCH_UP = 4;

/** As many as a store holds, and what is under way; each takes some hundred octets. */
export const MAX_DOCUMENTS = 201_000;

const ROOT_DOCUMENT = 'root';

export class PeerDocuments {
  readonly #mine: (document: string) => Heads;
  readonly #links = new Map<string, Link>();
  /** In the order in which they became due. */
  readonly #due = new Map<string, Due['kind']>();
  /** To be pulled as soon as there is room; after all that is due. */
  readonly #ready = new Set<string>();
  /** To be pulled then. */
  readonly #pullAtMs = new Map<string, number>();
  readonly #differsSinceMs = new Map<string, number>();
  /** Documents of zones told in the first round of which we lack something. */
  readonly #first = new Set<string>();
  /** The same of later. */
  readonly #later = new Set<string>();
  /** Documents of which the peer has nothing: new zones, and what a new node has not pulled yet. */
  readonly #lacked = new Set<string>();
  #underWay = 0;
  #heardAll = false;
  #rootDueSinceMs: number | undefined;
  #rootHeldSinceMs: number | undefined;

  /** `mine` gives the heads of a document of ours as they are on disk. */
  constructor(mine: (document: string) => Heads) {
    this.#mine = mine;
  }

  /** The peer has said what it has; a message that came with it has been taken in. `full`: it has told too much. */
  hear(document: string, heads: Heads, hearing: Hearing, nowMs: number): 'full' | 'heard' {
    const link = this.#link(document);
    if (link === undefined) return 'full';
    if (link.theirs !== heads) link.fruitless = 0;
    link.theirs = heads;
    this.#setAwaiting(link, 'no');
    if (hearing === 'refused') link.declined = this.#mine(document);
    if (hearing === 'message') {
      link.owed = true;
      link.answers += 1;
      this.#makeDue(document, 'exchange', nowMs);
    }
    this.#compare(document, link, nowMs);
    if (this.#differsSinceMs.has(document)) this.#planPull(document, link, nowMs);
    return 'heard';
  }

  /** The peer has told all that it has. */
  hearEnd(): void {
    this.#heardAll = true;
  }

  /** What the peer has of a document, heard before, could not be taken in; it must be told so. */
  refuse(document: string): void {
    const link = this.#links.get(document);
    if (link === undefined) return;
    link.refused = link.theirs;
    this.#pullAtMs.delete(document);
    this.#ready.delete(document);
    this.#leaveCatchUp(document);
  }

  /** A document of ours has changed on disk. */
  changed(document: string, origin: Origin, nowMs: number): void {
    const link = this.#link(document);
    if (link === undefined) return;
    this.#compare(document, link, nowMs);
    if (origin === 'own') this.#makeDue(document, 'exchange', nowMs);
    else if (link.told !== this.#mine(document)) this.#makeDue(document, 'heads', nowMs);
  }

  /** What to send now, the oldest first, `most` at the most. What is taken must be reported by `sent`. */
  take(most: number, nowMs: number): readonly Due[] {
    this.#startPulls(nowMs);
    const taken: Due[] = [];
    const busy = this.#takeDue(taken, most) + this.#takeReady(taken, most);
    const root = this.#dueRoot(nowMs, busy > 0 ? 'others-wait' : 'alone');
    if (root !== undefined && taken.length < most) {
      this.#rootDueSinceMs = undefined;
      taken.push(root);
    }
    for (const { document } of taken) {
      this.#due.delete(document);
      this.#ready.delete(document);
    }
    return taken;
  }

  /** Of what is due, documents of zones alone: for root, which must not come before them. */
  takeZones(most: number): readonly Due[] {
    const taken: Due[] = [];
    this.#takeDue(taken, most);
    for (const { document } of taken) this.#due.delete(document);
    return taken;
  }

  /** What `take` gave has gone out with these heads; `nothing` when no message was needed and the peer knew the heads. */
  sent({ document, kind }: Due, what: 'message' | 'heads' | 'nothing', heads: Heads, nowMs: number): void {
    const link = this.#link(document);
    if (link === undefined) return;
    if (what !== 'nothing') link.told = heads;
    if (kind === 'exchange') {
      link.owed = false;
      link.fruitless = what === 'message' ? 0 : link.fruitless + 1;
    }
    if (what === 'message') this.#setAwaiting(link, 'yes');
    this.#compare(document, link, nowMs);
    if (this.#differsSinceMs.has(document)) this.#planRetry(document, link, nowMs);
    // A change that came to disk between the message and now.
    if (what !== 'nothing' && link.told !== this.#mine(document)) this.#makeDue(document, 'heads', nowMs);
  }

  /** Whether the peer has to be told our heads even where there is no message for it. */
  mustTell({ document, kind }: Due, heads: Heads): boolean {
    const link = this.#links.get(document);
    return link === undefined || link.told !== heads || (kind === 'exchange' && link.owed);
  }

  /** Whether the exchange about a document has led nowhere so often that it must start over. */
  mustStartOver(document: string): boolean {
    return (this.#links.get(document)?.fruitless ?? 0) >= MAX_FRUITLESS;
  }

  /** Whether what the peer says of the root document must wait for the documents of zones that it told of before. */
  holdsRoot(nowMs: number): boolean {
    const isLimited = this.#heardAll && this.#first.size === 0;
    if (isLimited && this.#later.size === 0) {
      this.#rootHeldSinceMs = undefined;
      return false;
    }
    this.#rootHeldSinceMs ??= nowMs;
    return !isLimited || nowMs - this.#rootHeldSinceMs < MAX_ROOT_HOLD_MS;
  }

  /** When `take` or `holdsRoot` may say something else without anything happening; undefined for never. */
  wakeAtMs(nowMs: number): number | undefined {
    let earliest = Infinity;
    for (const atMs of this.#pullAtMs.values()) if (atMs < earliest) earliest = atMs;
    const heldSinceMs = [this.#rootHeldSinceMs, this.#rootIsHeldBack ? this.#rootDueSinceMs : undefined];
    for (const sinceMs of heldSinceMs) {
      const untilMs = (sinceMs ?? -Infinity) + MAX_ROOT_HOLD_MS;
      if (untilMs > nowMs) earliest = Math.min(earliest, untilMs);
    }
    return earliest === Infinity ? undefined : earliest;
  }

  /** Whether there are documents of zones of which the peer has nothing. */
  get lacksZones(): boolean {
    return this.#lacked.size > 0;
  }

  /** Whether the peer owes us something. */
  get isAwaiting(): boolean {
    return this.#underWay > 0 || !this.#heardAll;
  }

  behind(): Behind {
    let sinceMs: number | undefined;
    for (const since of this.#differsSinceMs.values())
      if (sinceMs === undefined || since < sinceMs) sinceMs = since;
    return { documents: this.#differsSinceMs.size, sinceMs };
  }

  #link(document: string): Link | undefined {
    const known = this.#links.get(document);
    if (known !== undefined) return known;
    if (this.#links.size >= MAX_DOCUMENTS) return undefined;
    const link: Link = {
      theirs: '',
      told: undefined,
      owed: false,
      awaiting: false,
      answers: 0,
      fruitless: 0,
      refused: undefined,
      declined: undefined,
    };
    this.#links.set(document, link);
    return link;
  }

  #makeDue(document: string, kind: Due['kind'], nowMs: number): void {
    if (this.#due.get(document) !== 'exchange') this.#due.set(document, kind);
    if (kind === 'exchange') {
      this.#pullAtMs.delete(document);
      this.#ready.delete(document);
    }
    if (document === ROOT_DOCUMENT) this.#rootDueSinceMs ??= nowMs;
  }

  #setAwaiting(link: Link, awaiting: 'yes' | 'no'): void {
    if (link.awaiting === (awaiting === 'yes')) return;
    link.awaiting = awaiting === 'yes';
    this.#underWay += link.awaiting ? 1 : -1;
  }

  #compare(document: string, link: Link, nowMs: number): void {
    const mine = this.#mine(document);
    const isLacked = link.theirs === '' && mine !== '' && link.declined !== mine;
    if (isLacked && document !== ROOT_DOCUMENT) this.#lacked.add(document);
    else this.#lacked.delete(document);
    if (link.theirs !== mine) {
      if (!this.#differsSinceMs.has(document)) this.#differsSinceMs.set(document, nowMs);
      if (link.answers >= ANSWERS_TO_CATCH_UP) this.#leaveCatchUp(document);
      return;
    }
    // One string for both, not two.
    link.theirs = mine;
    link.answers = 0;
    link.fruitless = 0;
    this.#differsSinceMs.delete(document);
    this.#pullAtMs.delete(document);
    this.#ready.delete(document);
    this.#leaveCatchUp(document);
  }

  /** The peer has said that it has something else than we have. */
  #planPull(document: string, link: Link, nowMs: number): void {
    if (this.#isHopeless(document, link) || link.owed) return;
    // What the peer lacks altogether holds nothing up here.
    if (document !== ROOT_DOCUMENT && link.theirs !== '')
      (this.#heardAll && !this.#first.has(document) ? this.#later : this.#first).add(document);
    if (!this.#heardAll) {
      this.#pullAtMs.set(document, nowMs);
      return;
    }
    const sinceMs = this.#differsSinceMs.get(document) ?? nowMs;
    this.#pullAtMs.set(document, Math.min(nowMs + RELAY_GRACE_MS, sinceMs + MAX_GRACE_MS));
  }

  #planRetry(document: string, link: Link, nowMs: number): void {
    if (link.awaiting || this.#isHopeless(document, link)) return;
    if (!this.#pullAtMs.has(document)) this.#pullAtMs.set(document, nowMs + RETRY_MS);
  }

  /** One of the two does not take what the other has: until it has something else, asking is of no use. */
  #isHopeless(document: string, link: Link): boolean {
    return link.refused === link.theirs || link.declined === this.#mine(document);
  }

  #startPulls(nowMs: number): void {
    for (const [document, atMs] of this.#pullAtMs) {
      if (atMs > nowMs) continue;
      this.#pullAtMs.delete(document);
      if (document === ROOT_DOCUMENT) this.#makeDue(document, 'exchange', nowMs);
      else this.#ready.add(document);
    }
  }

  #leaveCatchUp(document: string): void {
    this.#first.delete(document);
    this.#later.delete(document);
  }

  /** Whether root is due, and the peer lacks documents of zones that it may speak of. */
  get #rootIsHeldBack(): boolean {
    return this.#due.has(ROOT_DOCUMENT) && this.#heardAll && this.#lacked.size > 0;
  }

  /** Takes of what is due; returns how many had no room. */
  #takeDue(taken: Due[], most: number): number {
    let left = 0;
    let underWay = this.#underWay;
    for (const [document, kind] of this.#due) {
      if (document === ROOT_DOCUMENT) continue;
      const link = this.#links.get(document);
      const starts = kind === 'exchange' && link?.owed !== true;
      if (starts && link?.awaiting === true) continue;
      if (taken.length >= most || (starts && underWay >= MAX_UNDER_WAY)) {
        left += 1;
        continue;
      }
      if (starts) underWay += 1;
      taken.push({ document, kind });
    }
    return left;
  }

  #takeReady(taken: Due[], most: number): number {
    let room = Math.min(most - taken.length, MAX_PULLS - this.#underWay - taken.length);
    for (const document of this.#ready) {
      if (room <= 0) break;
      if (this.#links.get(document)?.awaiting === true || this.#due.has(document)) continue;
      room -= 1;
      taken.push({ document, kind: 'exchange' });
    }
    return room <= 0 ? this.#ready.size : 0;
  }

  #dueRoot(nowMs: number, others: 'others-wait' | 'alone'): Due | undefined {
    const kind = this.#due.get(ROOT_DOCUMENT);
    if (kind === undefined || !this.#heardAll) return undefined;
    const link = this.#links.get(ROOT_DOCUMENT);
    if (kind === 'exchange' && link?.awaiting === true && !link.owed) return undefined;
    const waitedMs = nowMs - (this.#rootDueSinceMs ?? nowMs);
    const mustWait = others === 'others-wait' || this.#lacked.size > 0;
    if (mustWait && waitedMs < MAX_ROOT_HOLD_MS) return undefined;
    return { document: ROOT_DOCUMENT, kind };
  }
}
