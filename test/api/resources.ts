/** Bodies that fit together: a pool in two data centers behind a steered name. */
export const bodies = {
  fra: { name: 'fra', latitude: 50.11, longitude: 8.68 },
  sin: { name: 'sin', latitude: 1.35, longitude: 103.82 },
  monitor: { name: 'web', kind: 'http' },
  pool: {
    name: 'web',
    monitor: 'web',
    endpoints: [
      { name: 'fra-v4', dataCenter: 'fra', address: '192.0.2.1' },
      { name: 'sin-v4', dataCenter: 'sin', address: '198.51.100.1' },
    ],
  },
  policy: { name: 'closest', rank: { kind: 'nearest' } },
  zone: { name: 'example.org', nameServers: ['ns1.example.net'] },
  steered: { name: 'www.example.org', pool: 'web', policy: 'closest' },
  rrset: { name: 'mail.example.org', type: 'A', ttlSeconds: 300, records: ['192.0.2.25'] },
  override: {
    id: 'fra-works',
    state: 'drain',
    target: { kind: 'data-center', dataCenter: 'fra' },
    reason: 'Works on the power supply.',
    expiresAt: '2026-06-01T00:00:00Z',
  },
  maintenanceWindow: {
    name: 'fra-sundays',
    target: { kind: 'data-center', dataCenter: 'fra' },
    schedule: { kind: 'repeating', cron: '30 2 * * 0', timeZone: 'Europe/Berlin', durationMinutes: 60 },
    reason: 'Works on the power supply.',
  },
  alertChannel: { name: 'on-call', url: 'https://alerts.example.net/' },
} as const;

/** In the order in which they can be written, with the collection and the URL of each. */
export const resources = [
  { noun: 'data center', list: '/v1/data-centers', item: '/v1/data-centers/fra', body: bodies.fra },
  { noun: 'second data center', list: '/v1/data-centers', item: '/v1/data-centers/sin', body: bodies.sin },
  { noun: 'monitor', list: '/v1/monitors', item: '/v1/monitors/web', body: bodies.monitor },
  { noun: 'pool', list: '/v1/pools', item: '/v1/pools/web', body: bodies.pool },
  { noun: 'policy', list: '/v1/policies', item: '/v1/policies/closest', body: bodies.policy },
  { noun: 'zone', list: '/v1/zones', item: '/v1/zones/example.org', body: bodies.zone },
  {
    noun: 'RRset',
    list: '/v1/zones/example.org/rrsets',
    item: '/v1/zones/example.org/rrsets/mail.example.org/A',
    body: bodies.rrset,
  },
  {
    noun: 'steered name',
    list: '/v1/steered-names',
    item: '/v1/steered-names/www.example.org',
    body: bodies.steered,
  },
  { noun: 'override', list: '/v1/overrides', item: '/v1/overrides/fra-works', body: bodies.override },
  {
    noun: 'maintenance window',
    list: '/v1/maintenance-windows',
    item: '/v1/maintenance-windows/fra-sundays',
    body: bodies.maintenanceWindow,
  },
  {
    noun: 'alert channel',
    list: '/v1/alert-channels',
    item: '/v1/alert-channels/on-call',
    body: bodies.alertChannel,
  },
] as const;
