import { describe, expect, it } from 'vitest';
import { recentLabel, type TrayFacts, trayIcon, trayIconFile, trayTooltip, waitingText } from './trayModel.ts';

const facts: TrayFacts = { waiting: 0, running: 0, paused: false, vault: 'unlocked', preparing: null, recent: [] };

describe('the tray', () => {
  it.each([
    [{}, 'idle', 'OAuth3: nothing waits'],
    [{ preparing: 'Getting the Deno image' }, 'idle', 'OAuth3: Getting the Deno image'],
    [{ running: 2 }, 'running', 'OAuth3: 2 running'],
    [{ running: 2, waiting: 1 }, 'waiting', 'OAuth3: 1 request waits for you'],
    [{ waiting: 3, paused: true }, 'paused', 'OAuth3: paused, nothing new runs'],
    [{ waiting: 3, paused: true, vault: 'locked' }, 'locked', 'OAuth3: the vault is locked'],
  ] as const)('says first what keeps everything else from going on: %o', (changed, icon, tooltip) => {
    expect(trayIcon({ ...facts, ...changed })).toBe(icon);
    expect(trayTooltip({ ...facts, ...changed })).toBe(tooltip);
  });

  it('counts in words', () => {
    expect([0, 1, 2].map(waitingText)).toEqual([
      'Nothing waits for you',
      '1 request waits for you',
      '2 requests wait for you',
    ]);
  });

  it('has a file for each system: by its ending macOS takes it for a template', () => {
    expect((['darwin', 'win32', 'linux'] as const).map((platform) => trayIconFile('paused', platform))).toEqual([
      'pausedTemplate.png',
      'paused.ico',
      'paused.png',
    ]);
  });
});

describe('a run in the menu, by the name that an agent gave (ATTACKS O252)', () => {
  const label = (skillId: string): string => recentLabel({ requestId: 'req_1', skillId, status: 'success' });

  it('is one short line that says how much is left out', () => {
    expect(label('a\nb')).not.toContain('\n');
    expect(label('x'.repeat(10_000)).length).toBeLessThan(100);
    expect(label('x'.repeat(10_000))).toMatch(/more.*: success$/);
  });

  it('is drawn as it is: no shortcut, nothing hidden, nothing that turns the line around', () => {
    expect(label('R&D')).toBe('R&&D: success');
    expect(label('a\u202eb\u200b')).toBe('a⟦U+202E⟧b⟦U+200B⟧: success');
  });
});
