import styles from './Step.module.css';

type HostChoicesProps = Readonly<{
  label: string;
  hosts: readonly string[];
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
}>;

/** Hosts that the request names, none of them chosen by itself. */
export function HostChoices({ label, hosts, chosen, onChange }: HostChoicesProps) {
  function toggle(host: string) {
    const after = new Set(chosen);
    if (!after.delete(host)) after.add(host);
    onChange(after);
  }
  return (
    <fieldset className={styles.choices}>
      <legend>{label}</legend>
      {hosts.map((host) => (
        <label key={host}>
          <input type="checkbox" checked={chosen.has(host)} onChange={() => toggle(host)} /> <code>{host}</code>
        </label>
      ))}
    </fieldset>
  );
}
