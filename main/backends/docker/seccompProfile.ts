import { createHash } from 'node:crypto';
// As a module, so that it is part of the packaged app.
import profile from '../../../sandbox/seccomp/profile.json' with { type: 'json' };

/** The profile as the engine wants it: its text, not a path. */
export const seccompProfile: string = JSON.stringify(profile);

/** SHA-256 (hex) of that text: `seccomp` of a manifest's carrier. */
export const seccompSha256: string = createHash('sha256').update(seccompProfile).digest('hex');
