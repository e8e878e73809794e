import { expect, it } from 'vitest';
import { platformText } from './statusFacts.ts';

it('names what it runs on, in the app and in plain Node', () => {
  const inElectron = { electron: '45.4.1', chrome: '150.0.1.2', node: '24.1.0', v8: '15.0' };
  expect(platformText(inElectron)).toBe('Electron 45.4.1, Chromium 150.0.1.2, Node 24.1.0');
  expect(platformText({ node: '24.1.0' })).toBe('Node 24.1.0');
});
