/**
 * Cases without a test that names them. `n/a`: the attack has nothing to attack here; `limit`: it works, as far as the
 * reason says, and the owner is told; `open`: its surface is not built or not tested yet.
 */
export type Standing = Readonly<{ kind: 'n/a' | 'limit' | 'open'; reason: string }>;

const none = (reason: string): Standing => ({ kind: 'n/a', reason });
const limit = (reason: string): Standing => ({ kind: 'limit', reason });
const open = (surface: string): Standing => ({ kind: 'open', reason: surface });

const proxy = open('LLM proxy');

export const notApplicable: Readonly<Record<number, Standing>> = {
  53: limit(
    'an allowed host can be sent anything that the code can read, DNS over HTTPS too; the card says so for its hosts',
  ),
  62: none(
    'no authority is ever put into a trust store of the system: each sandbox has its own, in memory, for one run',
  ),
  76: limit('a wildcard lets code write into names below a domain; wildcards stand first on the card'),
  92: none('names of secrets are unique, and a placeholder stands for one secret with its own hosts (see E80)'),
  100: limit('a service that hands out new credentials hands them to the code; the README says so'),
  101: limit('code may publish on an allowed host what it can read; the card says so for its hosts'),
  107: none('nothing can hand out a real value instead: a front end that fails cuts the connection'),
  117: none('a run gives stdout, stderr and an exit code, and no files'),
  118: none('output goes to the agent as strings inside JSON, and nothing of ours reads commands out of it'),

  120: proxy,
  122: proxy,
  123: proxy,
  124: proxy,
  125: proxy,
  126: proxy,
  127: proxy,
  128: proxy,
  129: proxy,
  130: proxy,

  141: limit('code in a container can read what its kernel says of itself; gVisor shows its own'),
  143: none('no file ever comes out of a container: results are byte streams'),
  144: none('nobody can ask for a mount: a container has none'),
  150: none('a container has no mounts; tmpfs counts as its memory, and nothing of it reaches a disk (see I153, I155)'),
  162: none('answers are unpacked before any front end sees them, under one cap (see E94)'),
  176: none('one container for each run, which shares its network with no other'),
  177: none('runner and code are in one container, so no network is shared between runtimes'),

  189: none('a request cannot be changed once it is stored: no route does it; another body is another request'),
  217: none('the card names the agent by the name that the owner gave or confirmed; names are unique'),
};
