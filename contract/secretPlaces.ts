import type { SecretView } from './owner.ts';

/** Where a secret may stand besides Authorization, a phrase for each kind of place that there is. */
export const placeLines = ({ headers, query, path, json, form }: SecretView): readonly string[] => [
  ...(headers.length === 0 ? [] : [`header ${headers.join(', ')}`]),
  ...(query.length === 0 ? [] : [`query ${query.join(', ')}`]),
  ...(path ? ['path'] : []),
  ...(json.length === 0 ? [] : [`JSON field ${json.join(', ')}`]),
  ...(form.length === 0 ? [] : [`form field ${form.join(', ')}`]),
];
