import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchPaths } from '../../simulation/bench-directory.js'
import type { BenchOutputs } from '../../simulation/virtual-bench.js'

/** What the simulated bench in a directory drives at this moment; it runs on when the software is dead. */
export const readOutputs = (directory: string): Outputs =>
  JSON.parse(readFileSync(benchPaths(directory).outputs, 'utf8')) as Outputs

/** Those of the board, and of the potentiostats where there are any. */
type Outputs = BenchOutputs & { readonly cell_switches?: Readonly<Record<string, boolean>> }

/** Where a unit keeps its bench. */
export const benchOf = (home: string): string => join(home, 'run', 'bench')

/** Names of the outputs of a unit's bench that are on. */
export function outputsOn(home: string): readonly string[] {
  const { pwm, leds, cell_switches: switches = {} } = readOutputs(benchOf(home))
  const on = (name: string, values: Readonly<Record<string, number | boolean>>): readonly string[] =>
    Object.entries(values)
      .filter(([, value]) => value !== 0 && value !== false)
      .map(([key, value]) => `${name} ${key} ${String(value)}`)
  return [...on('pwm', pwm), ...on('led', leds), ...on('cell', switches)]
}
