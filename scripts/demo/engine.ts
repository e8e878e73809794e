import { SetupError } from '../setup/checkout.ts';
import { ensureContainerEngine } from '../setup/containerEngine.ts';

/** A container engine that answers, installed and started where we may. Throws SetupError. */
export async function engineUrl(): Promise<string> {
  const engine = await ensureContainerEngine();
  if (engine === null) throw new SetupError('The demo with --docker needs a container engine, and none answers here.');
  return engine.url;
}
