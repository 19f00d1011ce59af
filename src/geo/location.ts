/** Where a client is, as far as the geo table knows. */
export interface ClientLocation {
  /** Degrees; undefined where the table has no coordinates. */
  readonly coordinates: Coordinates | undefined;
  /** ISO 3166-1 alpha-2, upper case; empty where unknown. */
  readonly country: string;
  /** ISO 3166-2 without the country part, or the table's own name of the region; empty where unknown. */
  readonly subdivision: string;
  /** AF, AN, AS, EU, NA, OC or SA; empty where unknown. */
  readonly continent: string;
  /** Autonomous system number; 0 where unknown. */
  readonly asn: number;
  /** The prefixes of the policy's own prefix rules that hold the client, longest first; as text. */
  readonly prefixes: readonly string[];
}

/** Where nothing is known of a client. */
export const NOWHERE: ClientLocation = {
  coordinates: undefined,
  country: '',
  subdivision: '',
  continent: '',
  asn: 0,
  prefixes: [],
};

export interface Coordinates {
  /** Degrees north. */
  readonly latitude: number;
  /** Degrees east. */
  readonly longitude: number;
}
