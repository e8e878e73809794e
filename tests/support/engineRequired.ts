import { inject } from 'vitest';

/** Before each file with containers: fails that file, and not the whole run, where the engine is not what it takes. */
const problem = inject('engineProblem');
if (problem !== null) throw new Error(problem);
