import { useEffect, useState } from 'react';
import type { CardKey, DecisionPlace, WindowContract } from '../../contract/ipc.ts';
import { type Api, unwrap } from '../shared/api.ts';
import { useLoaded } from '../shared/useLoaded.ts';
import styles from './App.module.css';
import { Agents } from './pages/Agents.tsx';
import { Audit } from './pages/Audit.tsx';
import { Requests } from './pages/Requests.tsx';
import { Secrets } from './pages/Secrets.tsx';
import { Settings } from './pages/Settings.tsx';
import { Trust } from './pages/Trust.tsx';
import { VaultGate } from './VaultGate.tsx';

const pages = { Requests, Secrets, Trust, Agents, Audit, Settings } as const;
export type PageName = keyof typeof pages;
const pageNames = Object.keys(pages).filter((name): name is PageName => name in pages);

export type PageProps = Readonly<{
  api: Api<WindowContract>;
  /** Another number whenever something changed that a page may show. */
  changes: number;
  /** The card that is open in the decision view. */
  openCard: CardKey | null;
  go: (page: PageName) => void;
}>;

export function App({ api }: Readonly<{ api: Api<WindowContract> }>) {
  const [page, setPage] = useState<PageName>('Requests');
  const [changes, setChanges] = useState(0);
  const [place, setPlace] = useState<DecisionPlace | null>(null);
  const status = useLoaded(() => unwrap(api.calls.status(null)), changes);
  useEffect(() => {
    const stops = [
      api.on('changed', () => setChanges((before) => before + 1)),
      api.on('openCard', () => setPage('Requests')),
      api.on('decisionPlace', setPlace),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [api]);

  const Page = pages[page];
  function go(name: PageName) {
    setPage(name);
    if (place !== null) void api.calls.showCard(null);
  }
  return (
    <div className={styles.app}>
      <header className={styles.top}>
        <strong className={styles.brand}>OAuth3</strong>
        <nav aria-label="Pages">
          {pageNames.map((name) => (
            <button key={name} type="button" aria-current={name === page ? 'page' : undefined} onClick={() => go(name)}>
              {name}
              {name === 'Requests' && (status.value?.waiting ?? 0) > 0 && <b>{status.value?.waiting}</b>}
            </button>
          ))}
        </nav>
        {status.value?.paused === true && <span className={styles.paused}>paused</span>}
      </header>
      {/* Beside the decision view, whose place main decides. */}
      <div className={styles.body} style={place === null || place.x === 0 ? undefined : { width: place.x }}>
        {/* Also while it is being unlocked: a wrong passphrase is told where it was typed. */}
        {status.value !== null && status.value.vault !== 'unlocked' ? (
          <VaultGate api={api} status={status.value} done={status.reload} />
        ) : (
          <Page key={page} api={api} changes={changes} openCard={place?.card ?? null} go={go} />
        )}
      </div>
    </div>
  );
}
