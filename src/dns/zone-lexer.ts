import { type Parsed, parsed, refused } from '../config/problem.ts';
import { excerpt } from './excerpt.ts';
import type { Field } from './rdata/field.ts';

/*
 * Cuts a master file (RFC 1035 section 5.1) into entries, and each entry into fields:
 *
 *     example.org. IN SOA ns1 hostmaster ( 1 1d    <- an entry goes on past the line's end inside parentheses
 *              1h 4w 5m ) ; a comment ends with the line
 *       IN TXT "two words" plain                   <- a blank before the first field: the owner is the last one
 *
 * Every character is looked at once, or twice after a mistake in parentheses.
 */

/** What stands between two line ends that count. */
export interface Entry {
  /** Line of the first field, from 1. */
  readonly line: number;
  /** Whether blanks stand before the first field. */
  readonly startsBlank: boolean;
  readonly fields: readonly Field[];
  /** The first mistake in the entry; its fields then mean nothing. */
  readonly mistake: Mistake | undefined;
}

export interface Mistake {
  readonly line: number;
  readonly sentence: string;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPENING = 0x28;
const CLOSING = 0x29;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const BYTE_ORDER_MARK = 0xfeff;

/** Reads a master file entry by entry. */
export class ZoneLexer {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  /** Where the line that `#offset` is on begins. */
  #lineStart = 0;
  /** Offset just past the open parenthesis, and its line; -1 outside parentheses. */
  #openedAt = -1;
  #openedLine = 0;
  #mistake: Mistake | undefined;

  constructor(text: string) {
    this.#text = text;
    if (text.charCodeAt(0) === BYTE_ORDER_MARK) this.#offset = 1;
  }

  /** The next entry that has fields or a mistake; undefined at the end of the text. */
  next(): Entry | undefined {
    while (this.#offset < this.#text.length) {
      const entry = this.#readEntry();
      if (entry.fields.length > 0 || entry.mistake !== undefined) return entry;
    }
    return undefined;
  }

  #readEntry(): Entry {
    this.#mistake = undefined;
    this.#openedAt = -1;
    const fields: Field[] = [];
    const startsBlank = isBlank(this.#text.charCodeAt(this.#offset));
    let line = this.#line;
    while (this.#offset < this.#text.length) {
      const code = this.#text.charCodeAt(this.#offset);
      if (code === LINE_FEED) {
        this.#endLine();
        if (this.#openedAt < 0) break;
      } else if (isBlank(code)) {
        this.#offset += 1;
      } else if (code === SEMICOLON) {
        this.#skipComment();
      } else if (code === OPENING) {
        if (!this.#open()) break;
      } else if (code === CLOSING) {
        this.#close();
      } else {
        if (fields.length === 0) line = this.#line;
        fields.push(code === QUOTE ? this.#readQuoted() : this.#readPlain());
      }
    }
    if (this.#openedAt >= 0) this.#recoverAtEnd();
    return { line, startsBlank, fields, mistake: this.#mistake };
  }

  #endLine(): void {
    this.#offset += 1;
    this.#line += 1;
    this.#lineStart = this.#offset;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#offset);
    this.#offset = end < 0 ? this.#text.length : end;
  }

  /**
   * False where a parenthesis is open already. The earlier one then lacks its end, and if this line is a later one
   * it is most likely another entry: reading goes on at its start.
   */
  #open(): boolean {
    if (this.#openedAt < 0) {
      this.#offset += 1;
      this.#openedAt = this.#offset;
      this.#openedLine = this.#line;
      return true;
    }
    if (this.#line === this.#openedLine) {
      this.#report('has a parenthesis inside a parenthesis');
      this.#offset += 1;
      return true;
    }
    this.#report('has a parenthesis that is never closed', this.#openedLine);
    this.#openedAt = -1;
    this.#offset = this.#lineStart;
    return false;
  }

  #close(): void {
    if (this.#openedAt < 0) this.#report('has a closing parenthesis without an opening one');
    this.#openedAt = -1;
    this.#offset += 1;
  }

  /** The text ended inside parentheses: goes on after the line that opened them, where no parenthesis follows. */
  #recoverAtEnd(): void {
    this.#report('has a parenthesis that is never closed', this.#openedLine);
    const lineEnd = this.#text.indexOf('\n', this.#openedAt);
    this.#offset = lineEnd < 0 ? this.#text.length : lineEnd + 1;
    this.#lineStart = this.#offset;
    this.#line = this.#openedLine + 1;
    this.#openedAt = -1;
  }

  #readQuoted(): Field {
    const start = this.#offset + 1;
    let end = start;
    for (;;) {
      const code = this.#text.charCodeAt(end);
      if (code === QUOTE) break;
      if (end >= this.#text.length || code === LINE_FEED) {
        this.#report('has a quote that is not closed on its line');
        this.#offset = end;
        return { text: this.#text.slice(start, end), quoted: true };
      }
      end += code === BACKSLASH && this.#text.charCodeAt(end + 1) !== LINE_FEED ? 2 : 1;
    }
    this.#offset = end + 1;
    if (!endsPlain(this.#text.charCodeAt(this.#offset)) && this.#offset < this.#text.length) {
      this.#report('has a quoted string that touches the next field; set them apart by a blank');
    }
    return { text: this.#text.slice(start, end), quoted: true };
  }

  #readPlain(): Field {
    const start = this.#offset;
    let end = start;
    while (end < this.#text.length) {
      const code = this.#text.charCodeAt(end);
      if (endsPlain(code)) break;
      if (code === QUOTE) {
        this.#report('has a quote inside a field; write \\" for the character, or set them apart by a blank');
        break;
      }
      end += code === BACKSLASH && this.#text.charCodeAt(end + 1) !== LINE_FEED ? 2 : 1;
    }
    end = Math.min(end, this.#text.length);
    this.#offset = end;
    return { text: this.#text.slice(start, end), quoted: false };
  }

  /** Keeps the first mistake of the entry: those after it mostly follow from it. */
  #report(sentence: string, line: number = this.#line): void {
    this.#mistake ??= { line, sentence };
  }
}

/** The fields of rdata that stands alone: one entry, without comments. */
export function readFields(text: string): Parsed<readonly Field[]> {
  const bad = (sentence: string): Parsed<never> =>
    refused('bad-rdata', '', `The rdata ${excerpt(text)} ${sentence}.`);
  const comment = findComment(text);
  if (comment >= 0)
    return bad('has a ; outside quotes, which starts a comment; put the text in quotes or write \\;');
  const lexer = new ZoneLexer(text);
  const entry = lexer.next();
  if (entry === undefined) return parsed([]);
  if (entry.mistake !== undefined) return bad(entry.mistake.sentence);
  if (lexer.next() !== undefined) return bad('has more than one line');
  return parsed(entry.fields);
}

function findComment(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i += 1;
    else if (code === QUOTE) quoted = !quoted;
    else if (code === SEMICOLON && !quoted) return i;
  }
  return -1;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB || code === CARRIAGE_RETURN;
}

function endsPlain(code: number): boolean {
  return isBlank(code) || code === LINE_FEED || code === SEMICOLON || code === OPENING || code === CLOSING;
}
