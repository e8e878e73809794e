import { useEffect, useState } from 'react';
import type { CardKey, DecisionPlace, DeskSnapshot, WindowContract } from '../../contract/ipc.ts';
import { type Api, unwrap } from '../shared/api.ts';
import { useLoaded } from '../shared/useLoaded.ts';
import styles from './App.module.css';
import { Agents } from './pages/Agents.tsx';
import { Audit } from './pages/audit/Audit.tsx';
import { Requests } from './pages/Requests.tsx';
import { Runs } from './pages/runs/Runs.tsx';
import { Secrets } from './pages/Secrets.tsx';
import { Services } from './pages/Services.tsx';
import { Settings } from './pages/settings/Settings.tsx';
import { Trust } from './pages/Trust.tsx';
import { StateMenu } from './StateMenu.tsx';
import { VaultGate } from './VaultGate.tsx';

/** In the order of the bar. */
const pages = { Requests, Runs, Trust, Secrets, Agents, Services, Audit, Settings } as const;
export type PageName = keyof typeof pages;
const pageNames = Object.keys(pages).filter((name): name is PageName => name in pages);

export type PageProps = Readonly<{
  api: Api<WindowContract>;
  desk: DeskSnapshot;
  /** Another number whenever something changed that a page may show. */
  changes: number;
  /** The card that is open in the decision view. */
  openCard: CardKey | null;
  /** Goes to a page and, where it has parts with an id, to that one. */
  go: (page: PageName, id?: string) => void;
  /** The part that `go` named. */
  part: string | null;
}>;

type Shown = Readonly<{ page: PageName; part: string | null }>;

export function App({ api }: Readonly<{ api: Api<WindowContract> }>) {
  const [shown, setShown] = useState<Shown>({ page: 'Requests', part: null });
  const [pushed, setPushed] = useState<Readonly<{ desk: DeskSnapshot; changes: number }> | null>(null);
  const [place, setPlace] = useState<DecisionPlace | null>(null);
  const first = useLoaded(() => unwrap(api.calls.opening(null)));
  const changes = pushed?.changes ?? 0;
  const desk = pushed?.desk ?? first.value?.desk ?? null;
  useEffect(() => {
    const missed = first.value?.place ?? null;
    setPlace((before) => before ?? missed);
    const run = first.value?.run ?? null;
    if (run !== null) setShown({ page: 'Runs', part: run });
  }, [first.value]);
  useEffect(() => {
    const stops = [
      api.on('changed', (next) => setPushed((before) => ({ desk: next, changes: (before?.changes ?? 0) + 1 }))),
      api.on('openCard', () => setShown({ page: 'Requests', part: null })),
      api.on('openRun', ({ id }) => setShown({ page: 'Runs', part: id })),
      api.on('decisionPlace', setPlace),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [api]);
  function go(page: PageName, part: string | null = null) {
    setShown({ page, part });
    if (place !== null) void api.calls.showCard(null);
  }
  const Page = pages[shown.page];
  return (
    <div className={styles.app}>
      <header className={styles.top}>
        <strong className={styles.brand}>OAuth3</strong>
        <nav aria-label="Pages">
          {pageNames.map((name) => (
            <button
              key={name}
              type="button"
              aria-current={name === shown.page ? 'page' : undefined}
              onClick={() => go(name)}
            >
              {name}
              {name === 'Requests' && desk !== null && desk.waiting.length > 0 && (
                <>
                  <b aria-hidden="true">{desk.waiting.length}</b>
                  <span className={styles.unseen}>{desk.waiting.length} waiting</span>
                </>
              )}
            </button>
          ))}
        </nav>
        {desk !== null && <StateMenu api={api} desk={desk} />}
      </header>
      {/* Beside the decision view, whose place main decides. */}
      <div className={styles.body} style={place === null || place.x === 0 ? undefined : { width: place.x }}>
        {first.problem !== null && (
          <p role="alert" className={styles.banner}>
            {first.problem}
          </p>
        )}
        {desk?.vault === 'unlocked' && desk.paused && (
          <p role="status" className={styles.banner}>
            Paused: requests are still collected, but nothing new runs until you resume.
          </p>
        )}
        {desk !== null &&
          // Also while it is being unlocked: a wrong passphrase is told where it was typed.
          (desk.vault === 'unlocked' ? (
            <Page
              key={shown.page}
              api={api}
              desk={desk}
              changes={changes}
              openCard={place?.card ?? null}
              go={go}
              part={shown.part}
            />
          ) : (
            <VaultGate api={api} changes={changes} />
          ))}
      </div>
    </div>
  );
}
