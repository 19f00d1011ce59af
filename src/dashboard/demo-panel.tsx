import type { JSX } from 'preact';
import { demo, setBroken } from './live.ts';

/** Break a data center and watch the answers move; only on a node that runs the demo. */
export function DemoPanel(): JSX.Element | null {
  const list = demo.value;
  if (list === undefined) return null;
  return (
    <section class="panel">
      <h2>Demo data centers</h2>
      <table>
        <tbody>
          {list.map(({ dataCenter, address, broken }) => (
            <tr key={dataCenter}>
              <td>{dataCenter}</td>
              <td>
                <code>{address}</code>
              </td>
              <td>
                <button
                  type="button"
                  data-break={dataCenter}
                  onClick={() => void setBroken(dataCenter, !broken)}
                >
                  {broken ? 'Mend' : 'Break'}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
