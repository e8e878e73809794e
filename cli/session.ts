import type { Command } from 'commander';
import type { ControlCommand, ControlParams, ControlValue } from '../contract/control.ts';
import { call } from './client.ts';
import { json } from './output.ts';
import { controlAddress, environment } from './place.ts';

/** What a command does with the running app and with the terminal. */
export type Session = Readonly<{
  call<Name extends ControlCommand>(
    command: Name,
    params: ControlParams<Name>,
    onPart?: (part: string) => void,
  ): Promise<ControlValue<Name>>;
  /** Prints the value as JSON if `--json` was given, else the text for a person. */
  print(value: unknown, text: string): void;
  /** Ends with exit 1 although an answer was printed. */
  fail(): void;
}>;

export function sessionOf(command: Command): Session {
  const options: Readonly<Record<string, unknown>> = command.optsWithGlobals();
  return {
    call: (name, params, onPart) => call(controlAddress(environment(process.env)), name, params, onPart),
    print: (value, text) => process.stdout.write(`${options.json === true ? json(value) : text}\n`),
    fail() {
      process.exitCode = 1;
    },
  };
}

/** Adds a command that takes `--json`, as all do. */
export function leaf(parent: Command, usage: string, description: string): Command {
  return parent.command(usage).description(description).option('--json', 'print JSON');
}

/** Option that may be repeated. */
export const collect = (value: string, earlier: readonly string[] | undefined): readonly string[] => [
  ...(earlier ?? []),
  value,
];
