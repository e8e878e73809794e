import { imageBasis } from '../imageBasis.ts';
import type { ImageWish } from './ports.ts';

/** The label that marks images of this app, and its value. */
export const imageMark = { name: 'oauth3.app', value: 'sandbox-image' } as const;

/** Says which wish an image fulfils; the value is the recipe without its prefix. */
export const recipeLabel = 'oauth3.recipe';

/** Labels of an image, the same whatever source made it. */
export function imageLabels(wish: ImageWish): Readonly<Record<string, string>> {
  return {
    [imageMark.name]: imageMark.value,
    [recipeLabel]: wish.recipe,
    'oauth3.runtime': wish.row.runtime,
    'oauth3.variant': wish.variant,
  };
}

/** Keeps the image from `docker image prune`, and readable in a list. Containers are made from its id. */
export function imageTag(wish: ImageWish): string {
  return `oauth3/sandbox-${wish.row.runtime}:${wish.variant}-${wish.recipe.slice(0, 12)}`;
}

/** What holds in a container unless its settings say otherwise. What is started is said by them alone. */
export const imageDefaults = {
  User: `${imageBasis.user}:${imageBasis.user}`,
  Env: ['PATH=/usr/local/bin:/usr/bin'],
  WorkingDir: '/',
} as const;
