import { z } from 'zod';

/** What an id names, by its prefix. */
export const idPrefixes = [
  'req',
  'agt',
  'sec',
  'run',
  'man',
  'apr',
  'dec',
  'crd',
  'pair',
  'bnd',
  'wak',
  'grt',
  'evt',
] as const;
export type IdPrefix = (typeof idPrefixes)[number];

/** An id is its prefix, an underscore and 22 letters or digits (128 random bits). */
export type Id<Prefix extends IdPrefix> = `${Prefix}_${string}`;

const idSchema = <Prefix extends IdPrefix>(prefix: Prefix) =>
  z.templateLiteral([`${prefix}_`, z.string().regex(/^[0-9A-Za-z]{22}$/)]);

export const requestIdSchema = idSchema('req');
export const agentIdSchema = idSchema('agt');
export const secretIdSchema = idSchema('sec');
export const runIdSchema = idSchema('run');
export const manifestIdSchema = idSchema('man');
export const approvalIdSchema = idSchema('apr');
export const decisionIdSchema = idSchema('dec');
export const cardIdSchema = idSchema('crd');
export const pairingIdSchema = idSchema('pair');
export const bindingIdSchema = idSchema('bnd');
export const wakeIdSchema = idSchema('wak');
export const grantIdSchema = idSchema('grt');
