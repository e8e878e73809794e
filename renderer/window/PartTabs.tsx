import { Tabs } from '@base-ui/react/tabs';
import type { ReactNode } from 'react';
import styles from './PartTabs.module.css';

type PartTabsProps = Readonly<{
  label: string;
  /** In their order; a text after the name, as a count, may change while the part is open. */
  parts: readonly Readonly<{ name: string; more?: string; content: ReactNode }>[];
}>;

/** Parts of a page side by side; the first is open, and only the open one is drawn. */
export function PartTabs({ label, parts }: PartTabsProps) {
  return (
    <Tabs.Root defaultValue={parts[0]?.name} className={styles.tabs}>
      <Tabs.List className={styles.list} aria-label={label}>
        {parts.map(({ name, more = '' }) => (
          <Tabs.Tab key={name} value={name} className={styles.tab}>
            {name}
            {more}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {parts.map(({ name, content }) => (
        <Tabs.Panel key={name} value={name} className={styles.part}>
          {content}
        </Tabs.Panel>
      ))}
    </Tabs.Root>
  );
}
