import { type ReactNode, useId } from 'react';
import styles from './Field.module.css';

type FieldProps = Readonly<{
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  secret?: boolean;
  placeholder?: string;
  maxLength?: number;
  onEnter?: () => void;
}>;

/** One labelled line of input. `secret` hides what is typed and keeps it out of any autofill. */
export function Field({ label, value, onChange, hint, secret = false, placeholder, maxLength, onEnter }: FieldProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={secret ? 'password' : 'text'}
        value={value}
        placeholder={placeholder}
        maxLength={maxLength}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onEnter?.();
        }}
      />
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}
