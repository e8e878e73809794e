import { describe, expect, it } from 'vitest';
import { parseHostRule } from './host.ts';
import { placeholderShape, wellKnownHeaders, wellKnownHeadersOfRule, wellKnownHosts } from './wellKnown.ts';

describe('well-known keys', () => {
  it.each([
    ['OPENAI_API_KEY', 'api.openai.com'],
    ['openai_api_key', 'api.openai.com'],
    ['ANTHROPIC_API_KEY', 'api.anthropic.com'],
    ['GITHUB_TOKEN', 'api.github.com'],
    ['GH_TOKEN', 'api.github.com'],
    ['GITHUB_PERSONAL_ACCESS_TOKEN', 'api.github.com'],
    ['GEMINI_API_KEY', 'generativelanguage.googleapis.com'],
    ['GOOGLE_API_KEY', 'generativelanguage.googleapis.com'],
    ['SLACK_BOT_TOKEN', 'slack.com'],
    ['STRIPE_SECRET_KEY', 'api.stripe.com'],
    ['NOTION_TOKEN', 'api.notion.com'],
    ['DISCORD_BOT_TOKEN', 'discord.com'],
    ['GITLAB_TOKEN', 'gitlab.com'],
    ['OPENROUTER_API_KEY', 'openrouter.ai'],
  ])('suggest for %s the host %s', (name, host) => {
    expect(wellKnownHosts(name)).toEqual([host]);
    expect(parseHostRule(host).host).toBe(host);
  });

  it('suggest nothing for a name that only resembles one', () => {
    for (const name of ['KEY', 'MY_OPENAI_API_KEY', 'OPENAI', 'X_GITHUB_TOKEN_2', '']) {
      expect(wellKnownHosts(name)).toEqual([]);
      expect(placeholderShape(name)).toBe('');
    }
  });

  it('know the header of a service, and of customers below its domain', () => {
    expect(wellKnownHeaders('api.anthropic.com')).toEqual(['x-api-key']);
    expect(wellKnownHeaders('generativelanguage.googleapis.com')).toEqual(['x-goog-api-key']);
    expect(wellKnownHeaders('gitlab.com')).toEqual(['private-token']);
    expect(wellKnownHeaders('mine.openai.azure.com')).toEqual(['api-key']);
    expect(wellKnownHeaders('api.anthropic.com.evil.com')).toEqual([]);
    expect(wellKnownHeaders('evilopenai.azure.com')).toEqual([]);
    expect(wellKnownHeaders('__proto__')).toEqual([]);
    expect(wellKnownHeadersOfRule('api.anthropic.com')).toEqual(['x-api-key']);
    expect(wellKnownHeadersOfRule('*.newrelic.com')).toEqual(['api-key']);
    expect(wellKnownHeadersOfRule('*.openai.azure.com')).toEqual(['api-key']);
    expect(wellKnownHeadersOfRule('*.example.com')).toEqual([]);
  });

  it('know how keys of a service begin', () => {
    expect(placeholderShape('OPENAI_API_KEY')).toBe('sk-');
    expect(placeholderShape('GITHUB_TOKEN')).toBe('ghp_');
  });
});
