/**
 * Jobs by the time they are due, earliest first: a binary heap in an array.
 *
 *              0: 12 ms
 *             /        \
 *        1: 40 ms    2: 15 ms          the parent of i is at (i - 1) >> 1,
 *        /      \                      its children are at 2 i + 1 and 2 i + 2
 *     3: 90 ms  4: 41 ms
 *
 * Each job knows its place, so that one of many thousands is taken out or moved without a search.
 */
export interface DueJob {
  dueMs: number;
  /** Written by the heap alone; -1 while the job is not in it. */
  place: number;
}

export interface DueHeap<J extends DueJob> {
  readonly size: number;
  /** The job due first. */
  first(): J | undefined;
  /** Puts a job in, or moves it, to `dueMs`. */
  set(job: J, dueMs: number): void;
  /** Takes a job out; nothing happens when it is not in. */
  remove(job: J): void;
}

/** An empty heap. */
export function createDueHeap<J extends DueJob>(): DueHeap<J> {
  const jobs: J[] = [];

  function put(job: J, place: number): void {
    jobs[place] = job;
    job.place = place;
  }

  function up(job: J, from: number): number {
    let place = from;
    while (place > 0) {
      const parent = jobs[(place - 1) >> 1];
      if (parent === undefined || parent.dueMs <= job.dueMs) break;
      put(parent, place);
      place = (place - 1) >> 1;
    }
    return place;
  }

  function down(job: J, from: number): number {
    let place = from;
    for (;;) {
      const left = jobs[2 * place + 1];
      const right = jobs[2 * place + 2];
      const child = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (child === undefined || child.dueMs >= job.dueMs) return place;
      const next = child.place;
      put(child, place);
      place = next;
    }
  }

  function settle(job: J, from: number): void {
    const raised = up(job, from);
    put(job, raised === from ? down(job, from) : raised);
  }

  return {
    get size() {
      return jobs.length;
    },
    first: () => jobs[0],
    set(job, dueMs) {
      job.dueMs = dueMs;
      settle(job, job.place < 0 ? jobs.length : job.place);
    },
    remove(job) {
      const { place } = job;
      if (place < 0) return;
      job.place = -1;
      const last = jobs.pop();
      if (last !== undefined && last !== job) settle(last, place);
    },
  };
}
