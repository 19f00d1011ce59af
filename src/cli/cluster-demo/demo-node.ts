/** One node of the demo cluster: what never changes about it. */
export interface DemoNode {
  readonly name: string;
  readonly city: string;
  readonly region: string;
  /** Degrees north and east. */
  readonly latitude: number;
  readonly longitude: number;
  /** Its own; 127.0.0.0/8 is this machine's alone (RFC 1122 section 3.2.1.3). */
  readonly address: string;
}

/** Three, so that two are a majority. In alphabetical order: the first has the configuration directory. */
export const demoNodes = [
  {
    name: 'fra',
    city: 'Frankfurt',
    region: 'eu-central',
    latitude: 50.1109,
    longitude: 8.6821,
    address: '127.0.2.1',
  },
  {
    name: 'iad',
    city: 'Ashburn',
    region: 'us-east',
    latitude: 39.0438,
    longitude: -77.4874,
    address: '127.0.2.2',
  },
  {
    name: 'sin',
    city: 'Singapore',
    region: 'ap-southeast',
    latitude: 1.3521,
    longitude: 103.8198,
    address: '127.0.2.3',
  },
] as const satisfies readonly DemoNode[];

/** The same on each node's address. */
export interface DemoPorts {
  readonly dns: number;
  readonly api: number;
  /** Where peers reach a node: the gate that can be shut. */
  readonly peer: number;
  /** Where the node itself listens, behind its gate. */
  readonly behind: number;
  /** Of the demo's data centers. */
  readonly dataCenter: number;
}

export function apiUrl({ address }: DemoNode, { api }: DemoPorts): string {
  return `http://${address}:${api}`;
}
