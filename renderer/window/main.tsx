import { createRoot } from 'react-dom/client';
import type { WindowContract } from '../../contract/ipc.ts';
import { preloadedApi } from '../shared/api.ts';
import { App } from './App.tsx';

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App api={preloadedApi<WindowContract>()} />);
