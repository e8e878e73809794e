import { sandboxLimits } from '../../../contract/sandboxLimits.ts';
import { installAbort } from './abort.ts';
import { installBody } from './body.ts';
import { installClone } from './clone.ts';
import { installConsole } from './console.ts';
import { installCore } from './core.ts';
import { installCrypto } from './crypto.ts';
import { installEnvironment } from './environment.ts';
import { makeExchange } from './exchange.ts';
import { installFetch } from './fetch.ts';
import { installForms } from './forms.ts';
import { installHeaders } from './headers.ts';
import { makeInspect } from './inspect.ts';
import { installText } from './text.ts';
import { installTimers } from './timers.ts';
import { installUrl } from './url.ts';

/**
 * The program that makes the guest's globals, as source text: a function that takes the host call and gives the
 * dispatch function. It is put together from the sources of functions, so that guest code is typed, linted and
 * tested as everything else is, and no file has to be found at run time.
 */
export function preludeSource(): string {
  return `(host) => {
'use strict';
const { kit, dispatch } = (${installCore})(host);
(${installText})(kit);
(${installConsole})(kit, (${makeInspect})());
(${installTimers})(kit);
(${installClone})(kit);
(${installUrl})(kit);
(${installAbort})(kit);
(${installHeaders})(kit);
(${installCrypto})(kit);
(${installFetch})(kit, (${installBody})(kit, (${installForms})(kit)), (${makeExchange})(kit, ${sandboxLimits.openRequests}));
(${installEnvironment})(kit);
return dispatch;
}`;
}
