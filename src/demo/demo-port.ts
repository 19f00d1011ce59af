/** The port that the demo's configuration probes. */
export const DEMO_PORT = 8080;
