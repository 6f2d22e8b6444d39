import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the virtual bench drives at this moment; it runs on when the software is dead. */
interface Outputs {
  readonly pwm: Readonly<Record<string, number>>
  readonly leds: Readonly<Record<string, number>>
  readonly cell_switches: Readonly<Record<string, boolean>>
}

export const readOutputs = (home: string): Outputs =>
  JSON.parse(readFileSync(join(home, 'run', 'bench', 'outputs.json'), 'utf8')) as Outputs

/** Names of the outputs that are on. */
export function outputsOn(home: string): readonly string[] {
  const { pwm, leds, cell_switches: switches } = readOutputs(home)
  const on = (name: string, values: Readonly<Record<string, number | boolean>>): readonly string[] =>
    Object.entries(values)
      .filter(([, value]) => value !== 0 && value !== false)
      .map(([key, value]) => `${name} ${key} ${String(value)}`)
  return [...on('pwm', pwm), ...on('led', leds), ...on('cell', switches)]
}
