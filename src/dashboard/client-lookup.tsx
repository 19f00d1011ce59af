import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ask, explainProblem, explanation, steeredNames } from './live.ts';

/** "Where is this client sent, and why?" */
export function ClientLookup(): JSX.Element {
  const name = useSignal('');
  const type = useSignal('A');
  const client = useSignal('');
  // Where there is one, the name that most people would ask about.
  const first = steeredNames.value.find((known) => known.startsWith('www.')) ?? steeredNames.value[0] ?? '';
  useEffect(() => {
    if (name.value === '') name.value = first;
  }, [first]);

  function submit(event: Event): void {
    event.preventDefault();
    void ask({ name: name.value, type: type.value, client: client.value.trim() });
  }

  return (
    <section class="panel">
      <h2>Where is a client sent, and why?</h2>
      <form onSubmit={submit}>
        <input
          aria-label="Client address or prefix"
          name="client"
          placeholder="client address, such as 192.0.2.1"
          value={client.value}
          onInput={(event) => (client.value = event.currentTarget.value)}
        />
        <input
          aria-label="Name"
          name="name"
          list="steered-names"
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <datalist id="steered-names">
          {steeredNames.value.map((known) => (
            <option key={known} value={known} />
          ))}
        </datalist>
        <select
          aria-label="Type"
          value={type.value}
          onChange={(event) => (type.value = event.currentTarget.value)}
        >
          <option>A</option>
          <option>AAAA</option>
        </select>
        <button type="submit">Explain</button>
      </form>
      {explainProblem.value !== '' && <p role="alert">{explainProblem.value}</p>}
      <Answer />
    </section>
  );
}

function Answer(): JSX.Element | null {
  const told = explanation.value;
  if (told === undefined) return null;
  return (
    <div data-explanation="">
      <p>
        <strong>{told.answer.rcode}</strong>{' '}
        {told.answer.records.map((record) => (
          <code key={record}>{record} </code>
        ))}
      </p>
      <ol class="steps">
        {told.steps.map((step) => (
          <li key={`${step.step} ${step.text}`}>{step.text}</li>
        ))}
      </ol>
    </div>
  );
}
