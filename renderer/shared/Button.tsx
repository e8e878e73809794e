import type { ReactNode } from 'react';
import styles from './Button.module.css';

type ButtonProps = Readonly<{
  children: ReactNode;
  onClick: () => void;
  tone?: 'plain' | 'primary' | 'danger' | 'quiet';
  disabled?: boolean;
  label?: string;
  hint?: string;
}>;

/** Works by click and Space. Enter does nothing on buttons in this app: a stray Enter must never decide anything. */
export function Button({ children, onClick, tone = 'plain', disabled = false, label, hint }: ButtonProps) {
  return (
    <button
      type="button"
      className={`${styles.button} ${styles[tone]}`}
      disabled={disabled}
      aria-label={label}
      title={hint}
      onClick={onClick}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.preventDefault();
      }}
    >
      {children}
    </button>
  );
}
