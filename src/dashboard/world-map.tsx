import { geoGraticule10, geoNaturalEarth1, geoPath } from 'd3-geo';
import type { JSX } from 'preact';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import land from 'world-atlas/land-110m.json';
import type { DataCenterView } from './view.ts';

const WIDTH = 960;
const HEIGHT = 480;

const projection = geoNaturalEarth1().fitExtent(
  [
    [4, 4],
    [WIDTH - 4, HEIGHT - 4],
  ],
  { type: 'Sphere' },
);
const path = geoPath(projection);
const topology = land as unknown as Topology<{ land: GeometryCollection }>;
const landPath = path(feature(topology, topology.objects.land)) ?? '';
const graticulePath = path(geoGraticule10()) ?? '';

/** Degrees. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

interface WorldMapProps {
  readonly dataCenters: readonly DataCenterView[];
  readonly client: Place | undefined;
  readonly chosen: string | undefined;
}

/** The world, the data centers by verdict, and the way of the client that was asked about. */
export function WorldMap({ dataCenters, client, chosen }: WorldMapProps): JSX.Element {
  const target = dataCenters.find((dataCenter) => dataCenter.name === chosen);
  return (
    <svg class="world" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="World map of data centers">
      <path class="graticule" d={graticulePath} />
      <path class="land" d={landPath} />
      {client && target && <path class="route" data-to={target.name} d={greatCircle(client, target)} />}
      {dataCenters.map((dataCenter) => (
        <DataCenterMark key={dataCenter.name} dataCenter={dataCenter} chosen={dataCenter.name === chosen} />
      ))}
      {client && <ClientMark place={client} />}
    </svg>
  );
}

function DataCenterMark(props: {
  readonly dataCenter: DataCenterView;
  readonly chosen: boolean;
}): JSX.Element {
  const { dataCenter, chosen } = props;
  const [x, y] = project(dataCenter);
  return (
    <g
      class={`verdict-${dataCenter.verdict}`}
      data-data-center={dataCenter.name}
      data-verdict={dataCenter.verdict}
      transform={`translate(${x} ${y})`}
    >
      <title>{`${dataCenter.name}: ${dataCenter.verdict}`}</title>
      {chosen && <circle class="chosen" r="12" />}
      {/* A down data center is also another shape: colour alone is not enough for everybody. */}
      {dataCenter.verdict === 'down' ? (
        <path class="cross" d="M-7 -7 7 7M7 -7-7 7" />
      ) : (
        <circle class="place" r="7" />
      )}
      <text x="12" y="-7">
        {dataCenter.name}
      </text>
    </g>
  );
}

function ClientMark({ place }: { readonly place: Place }): JSX.Element {
  const [x, y] = project(place);
  return (
    <g transform={`translate(${x} ${y})`} data-client="">
      <path class="client" d="M0 -6 6 0 0 6 -6 0Z" />
    </g>
  );
}

function project(place: Place): readonly [number, number] {
  return projection([place.longitude, place.latitude]) ?? [0, 0];
}

function greatCircle(from: Place, to: Place): string {
  const coordinates = [from, to].map((place) => [place.longitude, place.latitude]);
  return path({ type: 'LineString', coordinates }) ?? '';
}
