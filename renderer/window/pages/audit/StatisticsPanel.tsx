import type { Statistics, StatisticsDay } from '../../../../contract/audit.ts';
import { unwrap } from '../../../shared/api.ts';
import { useLoaded } from '../../../shared/useLoaded.ts';
import type { PageProps } from '../../App.tsx';
import { Empty, Problem, Table } from '../../Page.tsx';
import styles from './Statistics.module.css';

export const shownDays = 30;

/** How the last days went: what was decided, what ran, how long agents waited. */
export function StatisticsPanel({ api, changes }: Pick<PageProps, 'api' | 'changes'>) {
  const { value, problem } = useLoaded(() => unwrap(api.calls.statistics({ days: shownDays })), changes);
  if (problem !== null) return <Problem>{problem}</Problem>;
  if (value === null) return null;
  if (value.days.every(isQuiet)) return <Empty>Nothing was asked for in the last {shownDays} days.</Empty>;
  return (
    <section className={styles.panel} aria-label={`The last ${shownDays} days`}>
      <Plot
        title="Decisions"
        days={value.days}
        parts={[
          ['approved', 'approved', ({ approved }) => approved],
          ['trusted', 'ran by trust', ({ trusted }) => trusted],
          ['denied', 'denied', ({ denied }) => denied],
          ['expired', 'expired', ({ expired }) => expired],
        ]}
      />
      <Plot
        title="Runs"
        days={value.days}
        parts={[
          ['succeeded', 'succeeded', ({ succeeded }) => succeeded],
          ['failed', 'failed', ({ failed }) => failed],
        ]}
      />
      <Figures of={value} />
      <details>
        <summary>As a table</summary>
        <Table
          label="Day by day"
          columns={['Day', 'Asked', 'Approved', 'By trust', 'Denied', 'Expired', 'Succeeded', 'Failed']}
          rows={value.days.toReversed().flatMap((day) => (isQuiet(day) ? [] : [{ key: day.day, cells: cellsOf(day) }]))}
        />
      </details>
    </section>
  );
}

const isQuiet = ({ asked, trusted, approved, denied, expired, succeeded, failed }: StatisticsDay): boolean =>
  asked + trusted + approved + denied + expired + succeeded + failed === 0;

const cellsOf = ({
  day,
  asked,
  approved,
  trusted,
  denied,
  expired,
  succeeded,
  failed,
}: StatisticsDay): readonly string[] => [day, asked, approved, trusted, denied, expired, succeeded, failed].map(String);

function Figures({ of }: Readonly<{ of: Statistics }>) {
  return (
    <dl className={styles.figures}>
      <div>
        <dt>Median time to decide</dt>
        <dd>{of.median_wait_ms === null ? 'no decision yet' : spanText(of.median_wait_ms)}</dd>
      </div>
      <div>
        <dt>Approved of what you decided</dt>
        <dd>{of.share_approved === null ? 'nothing yet' : `${Math.round(of.share_approved * 100)} %`}</dd>
      </div>
    </dl>
  );
}

function spanText(ms: number): string {
  if (ms < 60_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

type Part = readonly [key: string, label: string, of: (day: StatisticsDay) => number];
type PlotProps = Readonly<{ title: string; days: readonly StatisticsDay[]; parts: readonly Part[] }>;

const width = 360;
const height = 84;

/** A bar a day, its parts upon each other; the table below says the same in numbers. */
function Plot({ title, days, parts }: PlotProps) {
  const tallest = Math.max(1, ...days.map((day) => parts.reduce((sum, [, , of]) => sum + of(day), 0)));
  const step = width / days.length;
  return (
    <figure className={styles.plot}>
      <figcaption>
        {title}
        {parts.map(([key, label]) => (
          <span key={key} className={styles.key} data-part={key}>
            {label}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title} a day, ${sumsText(days, parts)}`}>
        {days.map((day, index) => (
          <g key={day.day}>
            <title>{`${day.day}: ${parts.map(([, label, of]) => `${of(day)} ${label}`).join(', ')}`}</title>
            {barsOf(day, parts).map(({ key, below, value }) => (
              <rect
                key={key}
                data-part={key}
                x={index * step + 1}
                y={height - ((below + value) / tallest) * height}
                width={Math.max(1, step - 2)}
                height={(value / tallest) * height}
              />
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}

function barsOf(day: StatisticsDay, parts: readonly Part[]) {
  let below = 0;
  return parts.flatMap(([key, , of]) => {
    const value = of(day);
    const bar = { key, below, value };
    below += value;
    return value === 0 ? [] : [bar];
  });
}

const sumsText = (days: readonly StatisticsDay[], parts: readonly Part[]): string =>
  parts.map(([, label, of]) => `${days.reduce((sum, day) => sum + of(day), 0)} ${label}`).join(', ');
