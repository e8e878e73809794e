import type { PlaceholderShape } from './placeholder.ts';

/** What is generally known about one service's keys, so that the owner need not type it. Suggestions, never a binding. */
type WellKnownKey = Readonly<{
  /** Matches the whole secret name, upper case. */
  name: RegExp;
  hosts: readonly string[];
  /** How values look; placeholders imitate it because clients check it. No length where it differs from key to key. */
  shape?: PlaceholderShape;
}>;

const keys: readonly WellKnownKey[] = [
  { name: /OPENROUTER(_API)?_KEY/, hosts: ['openrouter.ai'], shape: { prefix: 'sk-or-v1-', length: 73 } },
  { name: /OPENAI(_[A-Z0-9]+)*_(KEY|TOKEN)/, hosts: ['api.openai.com'], shape: { prefix: 'sk-', length: 51 } },
  {
    name: /(ANTHROPIC|CLAUDE)(_API)?_KEY/,
    hosts: ['api.anthropic.com'],
    shape: { prefix: 'sk-ant-api03-', length: 108 },
  },
  { name: /(GH|GITHUB)(_[A-Z0-9]+)*_(TOKEN|PAT)/, hosts: ['api.github.com'], shape: { prefix: 'ghp_', length: 40 } },
  {
    name: /(GEMINI|GOOGLE(_AI|_GENERATIVE_AI|_GEMINI)?)(_API)?_KEY/,
    hosts: ['generativelanguage.googleapis.com'],
    shape: { prefix: 'AIza', length: 39 },
  },
  { name: /GOOGLE_MAPS(_API)?_KEY/, hosts: ['maps.googleapis.com'], shape: { prefix: 'AIza', length: 39 } },
  { name: /SLACK(_BOT|_USER)?(_OAUTH)?_TOKEN/, hosts: ['slack.com'], shape: { prefix: 'xoxb-' } },
  { name: /STRIPE(_[A-Z0-9]+)*_KEY/, hosts: ['api.stripe.com'], shape: { prefix: 'sk_live_' } },
  {
    name: /NOTION(_API|_INTEGRATION)?_(KEY|TOKEN|SECRET)/,
    hosts: ['api.notion.com'],
    shape: { prefix: 'ntn_', length: 50 },
  },
  { name: /DISCORD(_BOT)?_TOKEN/, hosts: ['discord.com'] },
  { name: /GITLAB(_[A-Z0-9]+)*_(TOKEN|PAT)/, hosts: ['gitlab.com'], shape: { prefix: 'glpat-' } },
  { name: /(XAI|GROK)(_API)?_KEY/, hosts: ['api.x.ai'], shape: { prefix: 'xai-', length: 84 } },
  { name: /GROQ(_API)?_KEY/, hosts: ['api.groq.com'], shape: { prefix: 'gsk_', length: 56 } },
  { name: /MISTRAL(_API)?_KEY/, hosts: ['api.mistral.ai'] },
  { name: /DEEPSEEK(_API)?_KEY/, hosts: ['api.deepseek.com'], shape: { prefix: 'sk-', length: 35 } },
  { name: /PERPLEXITY(_API)?_KEY/, hosts: ['api.perplexity.ai'], shape: { prefix: 'pplx-', length: 53 } },
  { name: /TOGETHER(AI)?(_API)?_KEY/, hosts: ['api.together.xyz'] },
  { name: /FIREWORKS(_API)?_KEY/, hosts: ['api.fireworks.ai'], shape: { prefix: 'fw_' } },
  { name: /CEREBRAS(_API)?_KEY/, hosts: ['api.cerebras.ai'], shape: { prefix: 'csk-', length: 52 } },
  { name: /DEEPINFRA(_API)?_(KEY|TOKEN)/, hosts: ['api.deepinfra.com'] },
  {
    name: /(HF|HUGGINGFACE|HUGGING_FACE_HUB)(_API)?_(KEY|TOKEN)/,
    hosts: ['huggingface.co'],
    shape: { prefix: 'hf_', length: 37 },
  },
  { name: /REPLICATE_API_(KEY|TOKEN)/, hosts: ['api.replicate.com'], shape: { prefix: 'r8_', length: 40 } },
  { name: /COHERE(_API)?_KEY/, hosts: ['api.cohere.com'] },
  { name: /ELEVEN(LABS)?(_API)?_KEY/, hosts: ['api.elevenlabs.io'], shape: { prefix: 'sk_', length: 51 } },
  { name: /BRAVE(_SEARCH)?(_API)?_KEY/, hosts: ['api.search.brave.com'], shape: { prefix: 'BSA' } },
  { name: /TAVILY(_API)?_KEY/, hosts: ['api.tavily.com'], shape: { prefix: 'tvly-' } },
  { name: /SENDGRID(_API)?_KEY/, hosts: ['api.sendgrid.com'], shape: { prefix: 'SG.', length: 69 } },
  { name: /RESEND(_API)?_KEY/, hosts: ['api.resend.com'], shape: { prefix: 're_' } },
  { name: /MAILGUN(_API)?_KEY/, hosts: ['api.mailgun.net'] },
  { name: /TWILIO(_[A-Z0-9]+)*_(TOKEN|KEY|SECRET)/, hosts: ['api.twilio.com'] },
  { name: /LINEAR(_API)?_(KEY|TOKEN)/, hosts: ['api.linear.app'], shape: { prefix: 'lin_api_', length: 48 } },
  { name: /AIRTABLE(_[A-Z0-9]+)*_(KEY|TOKEN|PAT)/, hosts: ['api.airtable.com'], shape: { prefix: 'pat' } },
  { name: /ASANA(_[A-Z0-9]+)*_(TOKEN|PAT)/, hosts: ['app.asana.com'] },
  { name: /FIGMA(_[A-Z0-9]+)*_(TOKEN|KEY)/, hosts: ['api.figma.com'], shape: { prefix: 'figd_', length: 45 } },
  { name: /CLOUDFLARE(_API)?_(KEY|TOKEN)/, hosts: ['api.cloudflare.com'] },
  {
    name: /DIGITALOCEAN(_[A-Z0-9]+)*_TOKEN/,
    hosts: ['api.digitalocean.com'],
    shape: { prefix: 'dop_v1_', length: 71 },
  },
  { name: /VERCEL(_API)?_TOKEN/, hosts: ['api.vercel.com'] },
  { name: /SENTRY(_[A-Z0-9]+)*_TOKEN/, hosts: ['sentry.io'] },
  { name: /TODOIST(_API)?_(KEY|TOKEN)/, hosts: ['api.todoist.com'] },
  { name: /OPENWEATHER(MAP)?(_API)?_KEY/, hosts: ['api.openweathermap.org'] },
  { name: /TELEGRAM(_BOT)?_TOKEN/, hosts: ['api.telegram.org'] },
];

/** Headers besides `Authorization` in which a service takes its key, lower case. */
const headers: Readonly<Record<string, readonly string[]>> = {
  'api.anthropic.com': ['x-api-key'],
  'api.cloudflare.com': ['x-auth-key'],
  'api.elevenlabs.io': ['xi-api-key'],
  'api.figma.com': ['x-figma-token'],
  'api.search.brave.com': ['x-subscription-token'],
  'app.posthog.com': ['x-api-key'],
  'api.pinecone.io': ['api-key'],
  'api.cognitive.microsoft.com': ['ocp-apim-subscription-key'],
  'generativelanguage.googleapis.com': ['x-goog-api-key'],
  'gitlab.com': ['private-token'],
  'maps.googleapis.com': ['x-goog-api-key'],
  'places.googleapis.com': ['x-goog-api-key'],
  'routes.googleapis.com': ['x-goog-api-key'],
  'api.newrelic.com': ['api-key'],
  'api.datadoghq.com': ['dd-api-key', 'dd-application-key'],
  'api.openweathermap.org': ['x-api-key'],
  'api.brevo.com': ['api-key'],
  'api.coingecko.com': ['x-cg-demo-api-key'],
  'pro-api.coingecko.com': ['x-cg-pro-api-key'],
  'pro-api.coinmarketcap.com': ['x-cmc_pro_api_key'],
  'google.serper.dev': ['x-api-key'],
  'api.exa.ai': ['x-api-key'],
};

/** The same for services that give each customer a host of its own: the parent domain decides. */
const headersBelow: Readonly<Record<string, readonly string[]>> = {
  'openai.azure.com': ['api-key'],
  'cognitiveservices.azure.com': ['ocp-apim-subscription-key'],
  'api.cognitive.microsoft.com': ['ocp-apim-subscription-key'],
  'search.windows.net': ['api-key'],
  'myshopify.com': ['x-shopify-access-token'],
  'pinecone.io': ['api-key'],
  'qdrant.io': ['api-key'],
};

/** Hosts of all the services known here. */
export const everyWellKnownHost: readonly string[] = [...new Set(keys.flatMap(({ hosts }) => hosts))];

/** Hosts to suggest for a binding, by the name of the secret; empty when the name is not known. */
export function wellKnownHosts(secretName: string): readonly string[] {
  return keyNamed(secretName)?.hosts ?? [];
}

/** Header names (lower case) that carry a key at this canonical host besides `authorization`. */
export function wellKnownHeaders(host: string): readonly string[] {
  const exact = Object.hasOwn(headers, host) ? headers[host] : undefined;
  if (exact !== undefined) return exact;
  const parent = Object.keys(headersBelow).find((domain) => host.endsWith(`.${domain}`));
  return parent === undefined ? [] : (headersBelow[parent] ?? []);
}

/** As `wellKnownHeaders`, for the host of a rule: behind `*.` it is what any host one label below it takes. */
export function wellKnownHeadersOfRule(ruleHost: string): readonly string[] {
  if (!ruleHost.startsWith('*.')) return wellKnownHeaders(ruleHost);
  const parent = ruleHost.slice(2);
  const below = Object.keys(headers).filter((host) => host.slice(host.indexOf('.') + 1) === parent);
  return [...new Set([...below, `any.${parent}`].flatMap(wellKnownHeaders))];
}

/**
 * What a placeholder should look like (`sk-…`, `ghp_…`), from the name of a secret. Never looks at the value: the code
 * must not learn which kind of key the owner holds, or how long it is.
 */
export function placeholderShape(secretName: string): PlaceholderShape {
  return keyNamed(secretName)?.shape ?? { prefix: '' };
}

function keyNamed(secretName: string): WellKnownKey | undefined {
  const upper = secretName.toUpperCase();
  return keys.find((key) => new RegExp(`^(?:${key.name.source})$`).test(upper));
}
