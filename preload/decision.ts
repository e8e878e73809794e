import { decisionIpc } from '../contract/ipc.ts';
import { exposeBridge } from './bridge.ts';

exposeBridge('decision', decisionIpc);
