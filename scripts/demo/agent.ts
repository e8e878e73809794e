import { z } from 'zod';

/** What the demo reads from the bridge's answers; other keys are left alone. */
const answerSchema = z.looseObject({
  status: z.string(),
  request_id: z.string().optional(),
  message: z.string().optional(),
  stdout: z.string().optional(),
  result: z
    .looseObject({
      stdout: z.string(),
      stderr: z.string(),
      redactions: z.number(),
      egress: z.array(
        z.looseObject({
          method: z.string(),
          host: z.string(),
          path: z.string(),
          status: z.number(),
          secrets: z.array(z.string()),
        }),
      ),
    })
    .optional(),
});
export type Answer = z.infer<typeof answerSchema>;

export type Agent = Readonly<{
  execute: (body: unknown) => Promise<Answer & Readonly<{ http: number; tookMs: number }>>;
  waitFor: (requestId: string) => Promise<Answer>;
}>;

/** The agent's whole means: an address and a token. */
export function makeAgent(url: string, token: string): Agent {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  return {
    execute: async (body) => {
      const started = performance.now();
      const response = await fetch(`${url}/execute`, { method: 'POST', headers, body: JSON.stringify(body) });
      const answer = answerSchema.parse(await response.json());
      return { ...answer, http: response.status, tookMs: Math.round(performance.now() - started) };
    },
    waitFor: async (requestId) => {
      const response = await fetch(`${url}/requests/${requestId}?wait=60`, { headers });
      return answerSchema.parse(await response.json());
    },
  };
}

/** The example of the interface description: asks a chat completion with a key that it never sees. */
export const exampleRequest = {
  skill_id: 'openai-completion',
  skill_url: 'https://gist.github.com/user/abc123',
  secrets: ['OPENAI_API_KEY'],
  code: [
    "const response = await fetch('https://api.openai.com/v1/chat/completions', {",
    "  method: 'POST',",
    '  headers: {',
    "    'Authorization': `Bearer ${Deno.env.get('OPENAI_API_KEY')}`,",
    "    'Content-Type': 'application/json'",
    '  },',
    "  body: JSON.stringify({model: 'gpt-4', messages: [{role: 'user', content: 'Hello!'}]})",
    '});',
    'console.log(await response.json());',
  ].join('\n'),
  metadata: {
    description: 'Send a chat completion request to OpenAI',
    secrets: ['OPENAI_API_KEY'],
    network: ['api.openai.com'],
    timeout: 30,
  },
} as const;

export const languages = ['deno', 'node', 'python'] as const;
type Language = (typeof languages)[number];

const inTypeScript = (variable: string): string =>
  [
    'type Answer = { choices: { message: { content: string } }[] };',
    `const key: string = ${variable} ?? '';`,
    "const response = await fetch('https://api.openai.com/v1/chat/completions', {",
    "  method: 'POST',",
    '  headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },',
    "  body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'Hello!' }] }),",
    '});',
    'const answer: Answer = await response.json();',
    "console.log('the code holds', key.slice(0, 10) + '…;', 'the API says', answer.choices[0].message.content);",
  ].join('\n');

const codeIn: Readonly<Record<Language, string>> = {
  deno: inTypeScript("Deno.env.get('OPENAI_API_KEY')"),
  node: inTypeScript('process.env.OPENAI_API_KEY'),
  python: [
    'import os, requests',
    "key = os.environ['OPENAI_API_KEY']",
    'response = requests.post(',
    "    'https://api.openai.com/v1/chat/completions',",
    "    headers={'Authorization': f'Bearer {key}'},",
    "    json={'model': 'gpt-4', 'messages': [{'role': 'user', 'content': 'Hello!'}]},",
    ')',
    "content = response.json()['choices'][0]['message']['content']",
    "print(f'the code holds {key[:10]}…; the API says {content}')",
  ].join('\n'),
};

/** The same wish as `exampleRequest` in another language. */
export const inLanguage = (runtime: Language) => ({
  skill_id: `hello-${runtime}`,
  secrets: ['OPENAI_API_KEY'],
  code: codeIn[runtime],
  metadata: { network: ['api.openai.com'], runtime },
});
