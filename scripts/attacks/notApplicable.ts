/**
 * Cases without a test that names them. `n/a`: the attack has nothing to attack here; `limit`: it works, as far as the
 * reason says, and the owner is told; `open`: its surface is not built or not tested yet.
 */
export type Standing = Readonly<{ kind: 'n/a' | 'limit' | 'open'; reason: string }>;

const none = (reason: string): Standing => ({ kind: 'n/a', reason });
const limit = (reason: string): Standing => ({ kind: 'limit', reason });
const open = (surface: string): Standing => ({ kind: 'open', reason: surface });

const frontEnd = open('front end for containers: proxy and TLS end');
const container = open('container sandbox on a real engine');
const proxy = open('LLM proxy');

export const notApplicable: Readonly<Record<number, Standing>> = {
  25: container,
  31: frontEnd,
  42: frontEnd,
  50: frontEnd,
  51: frontEnd,
  53: limit(
    'an allowed host can be sent anything that the code can read, DNS over HTTPS too; the card says so for its hosts',
  ),
  55: frontEnd,
  56: frontEnd,
  58: frontEnd,
  61: frontEnd,
  62: none(
    'no authority is ever put into a trust store of the system: each sandbox has its own, in memory, for one run',
  ),
  63: frontEnd,
  64: frontEnd,
  65: frontEnd,
  76: limit('a wildcard lets code write into names below a domain; wildcards stand first on the card'),
  92: none('names of secrets are unique, and a placeholder stands for one secret with its own hosts (see E80)'),
  100: limit('a service that hands out new credentials hands them to the code; the README says so'),
  101: limit('code may publish on an allowed host what it can read; the card says so for its hosts'),
  106: container,
  107: frontEnd,
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

  131: container,
  132: container,
  133: container,
  134: container,
  135: container,
  137: container,
  138: container,
  139: container,
  140: container,
  141: container,
  142: container,
  143: none('no file ever comes out of a container: results are byte streams'),
  144: none('nobody can ask for a mount: a container has none'),
  145: container,
  146: container,
  147: container,
  148: container,
  149: container,
  150: container,
  151: container,
  152: container,
  153: container,
  154: container,
  155: container,
  159: container,
  160: container,
  162: open('decoded answers of an upstream, through the container front end; the cap itself is E94'),
  165: container,
  166: container,
  167: container,
  168: container,
  169: container,
  170: container,
  171: container,
  172: container,
  173: container,
  174: container,
  175: container,
  176: none('one container for each run, which shares its network with no other'),
  177: none('runner and code are in one container, so no network is shared between runtimes'),
  178: container,
  179: container,
  180: container,
  182: container,

  189: none('a request cannot be changed once it is stored: no route does it; another body is another request'),
  201: none('approvers are named in the settings or the environment, never by a code that could be guessed'),
  205: open('desktop notifications: a second click, and one on a notification that was replaced'),
  217: none('the card names the agent by the name that the owner gave or confirmed; names are unique'),

  244: none('the app opens no address outside itself: it has no link to click'),
  245: none('the app registers no scheme of its own with the system, so no link reaches it'),
  248: none('no remote page is ever loaded into a view'),
  249: limit('what the owner copied stays in the clipboard of the system; the app neither reads nor writes it'),
  250: none('the app does not update itself'),
  252: none('the tray shows numbers and sentences of our own, nothing from outside'),
};
