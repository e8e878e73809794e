import { Switch } from '@base-ui/react/switch';
import { useId } from 'react';
import type { SettingKey, Settings } from '../../../../contract/settings.ts';
import { unwrap } from '../../../shared/api.ts';
import styles from './Settings.module.css';
import type { SettingsPart } from './Settings.tsx';
import { settingTexts } from './settingTexts.ts';

type Value = string | number | boolean;

/** Settings in a row each; a change holds at once. What the environment sets cannot be changed here. */
export function SettingRows({
  api,
  act,
  values,
  fixed,
  keys,
}: SettingsPart & Readonly<{ keys: readonly SettingKey[] }>) {
  return (
    <div className={styles.rows}>
      {keys.map((key) => (
        <SettingRow
          key={key}
          setting={key}
          value={values[key]}
          fixed={fixed.has(key)}
          save={(value) => void act(() => unwrap(api.calls.setSetting({ key, value })))}
        />
      ))}
    </div>
  );
}

type RowProps = Readonly<{
  setting: SettingKey;
  value: Settings[SettingKey];
  fixed: boolean;
  save: (value: Value) => void;
}>;

function SettingRow({ setting, value, fixed, save }: RowProps) {
  const id = useId();
  const { label, hint, unit } = settingTexts[setting];
  const notes = [hint, fixed ? 'Set by the environment of this process.' : undefined].filter(
    (note) => note !== undefined,
  );
  return (
    <div className={styles.row}>
      <div>
        <label htmlFor={id} id={`${id}-label`}>
          {label}
        </label>
        {notes.length > 0 && <small id={`${id}-hint`}>{notes.join(' ')}</small>}
      </div>
      <div className={styles.control}>
        <Control
          id={id}
          setting={setting}
          value={value}
          disabled={fixed}
          save={save}
          {...(notes.length > 0 ? { describedBy: `${id}-hint` } : {})}
        />
        {unit !== undefined && <span>{unit}</span>}
      </div>
    </div>
  );
}

type ControlProps = Readonly<{
  id: string;
  setting: SettingKey;
  value: Settings[SettingKey];
  disabled: boolean;
  describedBy?: string;
  save: (value: Value) => void;
}>;

function Control({ id, setting, value, disabled, describedBy, save }: ControlProps) {
  const common = { id, disabled, 'aria-describedby': describedBy };
  if (typeof value === 'boolean') {
    return (
      <Switch.Root
        {...common}
        aria-labelledby={`${id}-label`}
        className={styles.switch}
        checked={value}
        onCheckedChange={save}
      >
        <Switch.Thumb className={styles.thumb} />
      </Switch.Root>
    );
  }
  if (typeof value === 'number') {
    return (
      <input
        {...common}
        type="number"
        className={styles.number}
        // Another stored value is another field.
        key={value}
        defaultValue={value}
        onBlur={(event) => {
          const next = event.target.valueAsNumber;
          if (Number.isNaN(next)) event.target.value = String(value);
          else if (next !== value) save(next);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur();
        }}
      />
    );
  }
  return (
    <select {...common} className={styles.select} value={value ?? ''} onChange={(event) => save(event.target.value)}>
      {settingTexts[setting].choices?.map(([choice, text]) => (
        <option key={choice} value={choice}>
          {text}
        </option>
      ))}
    </select>
  );
}
