import { windowIpc } from '../contract/ipc.ts';
import { exposeBridge } from './bridge.ts';

exposeBridge('window', windowIpc);
