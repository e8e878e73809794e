import { useEffect, useId, useState } from 'react';
import type { AuditFacet, AuditFilter } from '../../../../contract/audit.ts';
import { unwrap } from '../../../shared/api.ts';
import { Button } from '../../../shared/Button.tsx';
import { Field } from '../../../shared/Field.tsx';
import type { PageProps } from '../../App.tsx';
import styles from './Audit.module.css';

const settleMs = 250;
const facets: readonly (readonly [facet: AuditFacet, label: string])[] = [
  ['agent', 'Agent'],
  ['skill', 'Skill'],
  ['secret', 'Secret'],
  ['host', 'Host'],
  ['kind', 'Kind of event'],
];

type FilterBarProps = Readonly<{ api: PageProps['api']; filter: AuditFilter; onChange: (filter: AuditFilter) => void }>;

/** What to look for. All that is filled in must hold; a text is looked for once nobody types any more. */
export function FilterBar({ api, filter, onChange }: FilterBarProps) {
  const set = (part: keyof AuditFilter, value: string): void => {
    const { [part]: _, ...rest } = filter;
    onChange(value === '' ? rest : { ...rest, [part]: value });
  };
  return (
    <search className={styles.filters}>
      <Typed label="Search in all words" value={filter.search ?? ''} onChange={(value) => set('search', value)} />
      {facets.map(([facet, label]) => (
        <Facet
          key={facet}
          api={api}
          facet={facet}
          label={label}
          value={filter[facet] ?? ''}
          onChange={(value) => set(facet, value)}
        />
      ))}
      <Day label="From" value={filter.since} endOfDay={false} onChange={(value) => set('since', value)} />
      <Day label="Until" value={filter.until} endOfDay onChange={(value) => set('until', value)} />
      {Object.keys(filter).length > 0 && (
        <Button tone="quiet" onClick={() => onChange({})}>
          Clear all
        </Button>
      )}
    </search>
  );
}

type TypedProps = Readonly<{ label: string; value: string; onChange: (value: string) => void }>;

/** A field whose value counts after a moment of rest. */
function Typed({ label, value, onChange }: TypedProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the newest `onChange` closes over the newest filter
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text.trim()), settleMs);
    return () => clearTimeout(timer);
  }, [text]);
  return <Field label={label} value={text} onChange={setText} onEnter={() => onChange(text.trim())} />;
}

type FacetProps = TypedProps & Readonly<{ api: PageProps['api']; facet: AuditFacet }>;

/** A name out of those that the log holds; it counts when it is one of them. */
function Facet({ api, facet, label, value, onChange }: FacetProps) {
  const id = useId();
  const [text, setText] = useState(value);
  const [names, setNames] = useState<readonly string[]>([]);
  useEffect(() => setText(value), [value]);
  async function suggest(begins: string): Promise<readonly string[]> {
    const { items } = await unwrap(api.calls.auditValues({ facet, begins })).catch(() => ({ items: [] }));
    setNames(items);
    return items;
  }
  function type(next: string): void {
    setText(next);
    if (next === '') onChange('');
    void suggest(next).then((items) => {
      if (items.includes(next)) onChange(next);
    });
  }
  return (
    <div className={styles.facet}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        list={`${id}-names`}
        value={text}
        placeholder="any"
        autoComplete="off"
        spellCheck={false}
        onFocus={() => void suggest(text)}
        onChange={(event) => type(event.target.value)}
        onBlur={() => setText(value)}
      />
      <datalist id={`${id}-names`}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}

type DayProps = Readonly<{
  label: string;
  value: string | undefined;
  endOfDay: boolean;
  onChange: (value: string) => void;
}>;

/** A day of the owner's own time zone; both ends are included. */
function Day({ label, value, endOfDay, onChange }: DayProps) {
  const id = useId();
  const time = endOfDay ? 'T23:59:59.999' : 'T00:00:00.000';
  return (
    <div className={styles.facet}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="date"
        value={value === undefined ? '' : localDay(new Date(value))}
        onChange={(event) => {
          const day = event.target.value;
          onChange(day === '' ? '' : new Date(`${day}${time}`).toISOString());
        }}
      />
    </div>
  );
}

function localDay(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
