import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseHostRule } from './host.ts';
import { makePlaceholder, placeholderRandomBytes } from './placeholder.ts';
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
      expect(placeholderShape(name)).toEqual({ prefix: '' });
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

  it.each([
    ['OPENAI_API_KEY', /^sk-[a-zA-Z0-9]{48}$/],
    ['OPENROUTER_API_KEY', /^sk-or-v1-[a-zA-Z0-9]{64}$/],
    ['ANTHROPIC_API_KEY', /^sk-ant-api03-[\w-]{95}$/],
    ['GITHUB_TOKEN', /^ghp_[a-zA-Z0-9]{36}$/],
    ['GEMINI_API_KEY', /^AIza[\w-]{35}$/],
    ['GOOGLE_MAPS_API_KEY', /^AIza[\w-]{35}$/],
    ['GROQ_API_KEY', /^gsk_[a-zA-Z0-9]{52}$/],
    ['XAI_API_KEY', /^xai-[a-zA-Z0-9]{80}$/],
    ['DEEPSEEK_API_KEY', /^sk-[a-zA-Z0-9]{32}$/],
    ['PERPLEXITY_API_KEY', /^pplx-[a-zA-Z0-9]{48}$/],
    ['CEREBRAS_API_KEY', /^csk-[a-zA-Z0-9]{48}$/],
    ['HF_TOKEN', /^hf_[a-zA-Z0-9]{34}$/],
    ['REPLICATE_API_TOKEN', /^r8_[a-zA-Z0-9]{37}$/],
    ['ELEVENLABS_API_KEY', /^sk_[a-zA-Z0-9]{48}$/],
    ['SENDGRID_API_KEY', /^SG\.[\w.-]{66}$/],
    ['LINEAR_API_KEY', /^lin_api_[a-zA-Z0-9]{40}$/],
    ['FIGMA_TOKEN', /^figd_[\w-]{40}$/],
    ['NOTION_TOKEN', /^ntn_[a-zA-Z0-9]{46}$/],
    ['DIGITALOCEAN_TOKEN', /^dop_v1_[a-zA-Z0-9]{64}$/],
    ['STRIPE_SECRET_KEY', /^sk_live_[a-zA-Z0-9]{24,}$/],
    ['GITLAB_TOKEN', /^glpat-[\w-]{20,}$/],
    ['SLACK_BOT_TOKEN', /^xoxb-/],
    ['ANYTHING_ELSE', /^[a-zA-Z0-9]{39}$/],
  ])('a stand-in for %s passes what clients check', (name, pattern) => {
    expect(makePlaceholder(randomBytes(placeholderRandomBytes), placeholderShape(name))).toMatch(pattern);
  });
});
