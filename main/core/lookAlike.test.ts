import { describe, expect, it } from 'vitest';
import { canonicalHost } from './host.ts';
import { lookAlike } from './lookAlike.ts';

const known = { trusted: ['api.openai.com', 'api.example-shop.com'], famous: ['api.stripe.com', 'api.github.com'] };

describe('a host that can be taken for another', () => {
  it.each([
    ['api.opena1.com', 'api.openai.com'],
    ['api.0penai.com', 'api.openai.com'],
    ['api.openai.co', 'api.openai.com'],
    ['api.openai.com.evil.example', 'api.openai.com'],
    ['openai-api.com', 'api.openai.com'],
    ['api.openal.com', 'api.openai.com'],
    ['api.opennai.com', 'api.openai.com'],
    ['api.opneai.com', 'api.openai.com'],
    ['api.оpenai.com', 'api.openai.com'],
    ['api.opénai.com', 'api.openai.com'],
    ['*.openai.help', 'api.openai.com'],
    ['api.str1pe.com', 'api.stripe.com'],
    ['stripe.com.pay.example', 'api.stripe.com'],
    ['qithub-github.example', 'api.github.com'],
  ])('%s: %s', (host, alike) => {
    const canonical = host.startsWith('*.') ? host : canonicalHost(host);
    expect(lookAlike(canonical, known)).toBe(alike);
  });

  it.each([
    'api.openai.com',
    'files.openai.com',
    'openai.com',
    'api.strive.com',
    'api.weather.example',
    'collect.example.com',
    'api.anthropic.com',
    '192.168.1.4',
    'home-assistant',
  ])('not %s', (host) => expect(lookAlike(host, known)).toBeNull());
});
