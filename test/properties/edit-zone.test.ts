import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRdata } from '../../src/dns/rdata/index.ts';
import { columnsOf } from '../../src/dns/rrset-columns.ts';
import { parseType } from '../../src/dns/type.ts';
import { compileColumns, compileEditable } from '../../src/snapshot/compile-zone.ts';
import { type OwnerEdit, ZoneEditor } from '../../src/snapshot/edit-zone.ts';
import { openSnapshot } from '../../src/snapshot/snapshot.ts';
import { createVerdictTable } from '../../src/snapshot/verdict-table.ts';
import type { RRsetSource, SteeredSource } from '../../src/snapshot/zone-source.ts';
import { answerPacket, createWorldMessage, digPacket, name, type World } from '../answer/world.ts';

/* A zone that is edited answers, octet for octet, as the same zone compiled anew. */

const APEX = 'example.org.';

const owners = [
  APEX,
  'a.example.org.',
  'b.example.org.',
  '*.a.example.org.',
  'x.a.example.org.',
  'y.x.a.example.org.',
  '*.example.org.',
  'p.q.r.example.org.',
  'q.r.example.org.',
  'sub.example.org.',
  'ns.sub.example.org.',
  'www.example.org.',
  'below.www.example.org.',
];

const asked = [
  ...owners,
  'absent.example.org.',
  'z.y.x.a.example.org.',
  'r.example.org.',
  'o.p.q.r.example.org.',
];

const contents: Readonly<Record<string, readonly string[]>> = {
  A: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  TXT: ['"one"', '"two"'],
  MX: [
    '1 a.example.org.',
    '1 x.a.example.org.',
    '2 q.r.example.org.',
    '3 absent.example.org.',
    '4 ns.sub.example.org.',
  ],
  SRV: ['1 1 80 b.example.org.'],
  CNAME: ['b.example.org.', 'y.x.a.example.org.', 'www.example.net.'],
  NS: ['ns.sub.example.org.', 'ns.example.net.'],
};

interface Step {
  readonly owner: string;
  readonly type: string;
  /** None deletes. */
  readonly records: readonly string[];
}

const step = fc
  .constantFrom(...Object.keys(contents))
  .chain((type) =>
    fc.record({
      owner: fc.constantFrom(...owners),
      type: fc.constant(type),
      records: fc.oneof(fc.constant([]), fc.subarray([...(contents[type] ?? [])], { minLength: 1 })),
    }),
  )
  // Delegations end editing; most runs should get far without one.
  .map(
    (given): Step =>
      given.type === 'NS' && given.owner !== 'sub.example.org.'
        ? { ...given, type: 'TXT', records: ['"three"'] }
        : given,
  );

function rrset(owner: string, type: string, ttlSeconds: number, records: readonly string[]): RRsetSource {
  const code = parseType(type) ?? 0;
  const rdatas = records.map((text) => {
    const rdata = parseRdata(code, text);
    if (!rdata.ok) throw new Error(rdata.problems[0]?.message);
    return rdata.value;
  });
  return { owner: name(owner), type: code, ttlSeconds, rdatas };
}

/** The zone as the steps left it, by owner and type. */
class Model {
  readonly #rrsets = new Map<string, Map<string, RRsetSource>>();
  serial = 1;

  apply({ owner, type, records }: Step): void {
    const here = this.#rrsets.get(owner) ?? new Map<string, RRsetSource>();
    this.#rrsets.set(owner, here);
    if (records.length === 0) here.delete(type);
    else here.set(type, rrset(owner, type, 300, records));
  }

  at(owner: string): readonly RRsetSource[] {
    return [...(owner === APEX ? this.#made() : []), ...(this.#rrsets.get(owner)?.values() ?? [])];
  }

  all(): readonly RRsetSource[] {
    return [APEX, ...owners.slice(1)].flatMap((owner) => this.at(owner));
  }

  #made(): readonly RRsetSource[] {
    return [
      rrset(APEX, 'SOA', 3600, [`a.example.org. h.example.org. ${this.serial} 7200 900 1209600 60`]),
      rrset(APEX, 'NS', 3600, ['a.example.org.', 'ns.example.net.']),
    ];
  }
}

const steeredNames: readonly SteeredSource[] = [
  {
    owner: name('www.example.org.'),
    ttlSeconds: 30,
    answers: 1,
    allDown: 'fail-open',
    map: 0,
    endpoints: [{ slot: 0, dataCenter: 0, weight: 1, type: 1, rdata: Uint8Array.of(192, 0, 2, 9) }],
    fallback: [],
  },
];

const { maps } = createWorldMessage({
  zones: ['. 60 IN SOA a. b. 1 1 1 1 1\n. 60 IN NS a.'],
  steered: [{ name: 'www.example.org.', pool: ['fra A 192.0.2.9'] }],
});

const packets = asked.flatMap((owner) =>
  ['A', 'TXT', 'MX', 'SRV', 'CNAME', 'NS', 'SOA', 'AAAA'].map((type) => digPacket(`${owner} ${type}`).packet),
);

function answers(image: SharedArrayBuffer): readonly string[] {
  const snapshot = openSnapshot({
    generation: 1,
    zones: [image],
    maps,
    verdicts: createVerdictTable(),
    serverId: new Uint8Array(),
  });
  const world: World = { snapshot, problems: [], setVerdict: () => {} };
  return packets.map((packet) => Buffer.from(answerPacket(world, packet)).toString('hex'));
}

let edited = 0;
let compiled = 0;

/** As the publisher does: edits where it can, and compiles where not. */
class Published {
  image: SharedArrayBuffer;
  #editor: ZoneEditor | undefined;

  constructor(model: Model) {
    this.image = this.#compile(model);
  }

  follow(model: Model, touched: ReadonlySet<string>): void {
    const edits = [...touched].map((owner): OwnerEdit => ({ owner: name(owner), rrsets: model.at(owner) }));
    const next = this.#editor?.edit(edits, model.serial);
    if (next !== undefined) edited++;
    this.image = next ?? this.#compile(model);
  }

  #compile(model: Model): SharedArrayBuffer {
    compiled++;
    const { image, problems, room } = compileEditable({
      apex: name(APEX),
      columns: columnsOf(model.all()),
      steeredNames,
    });
    this.#editor = problems.length === 0 ? new ZoneEditor(name(APEX), image, room) : undefined;
    return image;
  }
}

describe('an edited zone', () => {
  it('answers as one that is compiled anew', () => {
    edited = 0;
    compiled = 0;
    fc.assert(
      fc.property(
        fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        (commits) => {
          const model = new Model();
          const published = new Published(model);
          for (const commit of commits) {
            model.serial++;
            for (const one of commit) model.apply(one);
            published.follow(model, new Set(commit.map(({ owner }) => owner)));
            const anew = compileColumns({ apex: name(APEX), columns: columnsOf(model.all()), steeredNames });
            expect(answers(published.image)).toEqual(answers(anew.image));
          }
        },
      ),
      { numRuns: 60 },
    );
    // Else nothing was tested.
    expect(edited).toBeGreaterThan(compiled / 4);
  });
});
