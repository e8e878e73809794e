import { createRoot } from 'react-dom/client';
import type { DecisionContract } from '../../contract/ipc.ts';
import { preloadedApi } from '../shared/api.ts';
import { Decision } from './Decision.tsx';

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<Decision api={preloadedApi<DecisionContract>()} />);
