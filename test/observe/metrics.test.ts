import { describe, expect, it } from 'vitest';
import { createDecision } from '../../src/answer/decision.ts';
import {
  count,
  countOne,
  createCounters,
  openCounters,
  setOpenConnections,
} from '../../src/observe/counters.ts';
import { createMetrics, type Metrics, type MetricsSources } from '../../src/observe/metrics.ts';

function sources(changes: Partial<MetricsSources> = {}): MetricsSources {
  return {
    version: '1.2.3',
    counters: () => [],
    dataCenterName: () => undefined,
    health: () => [],
    geoBuiltAtMs: () => undefined,
    generation: () => 0,
    problems: () => [],
    nowMs: () => 0,
    ...changes,
  };
}

/** The samples whose line starts with this, those of value 0 left out. */
async function samples(metrics: Metrics, start: string): Promise<string[]> {
  const text = await metrics.exposition();
  return text.split('\n').filter((line) => line.startsWith(start) && !line.endsWith(' 0'));
}

describe('createMetrics', () => {
  it('tells what the workers counted, and tells it the same when asked twice', async () => {
    const udp = openCounters(createCounters());
    const tcp = openCounters(createCounters());
    const decision = { ...createDecision(), outcome: 'answer', queryType: 1, dataCenter: 3 } as const;
    count(udp, decision, 'udp');
    count(udp, { ...decision, truncated: true }, 'udp');
    count(tcp, decision, 'tcp');
    countOne(udp, 'drops', 'source-port-zero');
    countOne(tcp, 'worker', 'restarts');
    setOpenConnections(tcp, 5);
    const metrics = createMetrics(
      sources({ counters: () => [udp, tcp], dataCenterName: (index) => (index === 3 ? 'fra' : undefined) }),
    );
    await metrics.exposition();
    expect(await samples(metrics, 'meridian_dns')).toEqual([
      'meridian_dns_queries_total{transport="udp",type="A"} 2',
      'meridian_dns_queries_total{transport="tcp",type="A"} 1',
      'meridian_dns_responses_total{rcode="NOERROR"} 3',
      'meridian_dns_outcomes_total{outcome="answer"} 3',
      'meridian_dns_truncated_total{transport="udp"} 1',
      'meridian_dns_answers_by_data_center_total{data_center="fra"} 3',
      'meridian_dns_dropped_total{cause="source-port-zero"} 1',
      'meridian_dns_tcp_connections 5',
      'meridian_dns_worker_restarts_total 1',
    ]);
  });

  it('tells one verdict of each endpoint, and forgets endpoints that are gone', async () => {
    let health: ReturnType<MetricsSources['health']> = [
      { pool: 'web', endpoint: 'fra', verdict: 'up' },
      { pool: 'web', endpoint: 'ams', verdict: 'drained' },
    ];
    const metrics = createMetrics(sources({ health: () => health }));
    expect(await samples(metrics, 'meridian_endpoint')).toEqual([
      'meridian_endpoint_verdict{pool="web",endpoint="fra",verdict="up"} 1',
      'meridian_endpoint_verdict{pool="web",endpoint="ams",verdict="drained"} 1',
    ]);
    health = [];
    expect(await samples(metrics, 'meridian_endpoint')).toEqual([]);
  });

  it('counts probes by monitor and reason, the thousand-and-first monitor as another', async () => {
    const metrics = createMetrics(sources());
    metrics.countProbe('web', 'ok');
    metrics.countProbe('web', 'ok');
    metrics.countProbe('web', 'timeout');
    expect(await samples(metrics, 'meridian_probe')).toEqual([
      'meridian_probe_results_total{monitor="web",reason="ok"} 2',
      'meridian_probe_results_total{monitor="web",reason="timeout"} 1',
    ]);
    for (let index = 0; index < 1_500; index++) metrics.countProbe(`m${index}`, 'ok');
    metrics.countProbe('web', 'ok');
    const lines = await samples(metrics, 'meridian_probe');
    expect(lines).toContain('meridian_probe_results_total{monitor="other",reason="ok"} 501');
    expect(lines).toContain('meridian_probe_results_total{monitor="web",reason="ok"} 3');
  });

  it('tells the state of the node', async () => {
    const problem = { code: 'dangling-pool', path: 'x', message: 'x' };
    const metrics = createMetrics(
      sources({
        generation: () => 42,
        problems: () => [problem, { ...problem, code: 'geo' }, problem],
        geoBuiltAtMs: () => 1_700_000_000_000,
        nowMs: () => 1_700_000_090_000,
      }),
    );
    const lines = [
      ...(await samples(metrics, 'meridian_build')),
      ...(await samples(metrics, 'meridian_config')),
      ...(await samples(metrics, 'meridian_problems')),
      ...(await samples(metrics, 'meridian_geo')),
    ];
    expect(lines).toEqual([
      'meridian_build_info{version="1.2.3"} 1',
      'meridian_config_generation 42',
      'meridian_problems{code="dangling-pool"} 2',
      'meridian_problems{code="geo"} 1',
      'meridian_geo_table_build_timestamp_seconds 1700000000',
      'meridian_geo_table_age_seconds 90',
    ]);
  });

  it('says nothing of a geo table without a date', async () => {
    const text = await createMetrics(sources()).exposition();
    expect(text).not.toMatch(/^meridian_geo/m);
  });

  it('is Prometheus text with the process figures, from each registry by itself', async () => {
    const first = createMetrics(sources());
    const second = createMetrics(sources({ generation: () => 7 }));
    expect(first.contentType).toMatch(/^text\/plain/);
    expect(await samples(first, 'process_resident_memory_bytes')).toHaveLength(1);
    expect(await samples(first, 'meridian_config')).toEqual([]);
    expect(await samples(second, 'meridian_config')).toEqual(['meridian_config_generation 7']);
  });
});
