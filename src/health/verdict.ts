/** Damped state of an endpoint as probes show it, from one vantage or joined over all. */
export type ProbedVerdict = 'up' | 'down' | 'unknown';

/** What answers go by: the probed verdict, unless an override outranks it. */
export type Verdict = ProbedVerdict | 'drained';
