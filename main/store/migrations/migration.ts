/** One step of the schema. `version` counts from 1 without gaps; a step that was released is never edited. */
export type Migration = Readonly<{ version: number; name: string; sql: string }>;
