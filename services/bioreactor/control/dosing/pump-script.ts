import { InvalidInput } from '../../../../events/core/errors.js'

/** One step of a script of pumps. */
export type PumpStep =
  | { readonly kind: 'pump'; readonly pump: string; readonly ml: number }
  | { readonly kind: 'sleep'; readonly seconds: number }

/** Longest pause in a script, s. */
const MAX_SLEEP_S = 86_400

/** Pairs such as `--media 2 --sleep 1 --waste 2`: mL of a pump, s of a pause, one after the other. Underscores at the end of a name count for nothing.
 * @param pumps their names. @throws InvalidInput naming the pair. Source: Pioreactor 26.7 `pumps`. */
export function parsePumpScript(words: readonly string[], pumps: readonly string[]): readonly PumpStep[] {
  const steps: PumpStep[] = []
  for (let at = 0; at < words.length; at += 2) steps.push(stepOf(words[at] ?? '', words[at + 1], pumps))
  return steps
}

function stepOf(flag: string, text: string | undefined, pumps: readonly string[]): PumpStep {
  const name = flag.replace(/^--/, '').replace(/_+$/, '').replaceAll('-', '_')
  if (!flag.startsWith('--') || !(name === 'sleep' || pumps.includes(name))) {
    const known = [...pumps, 'sleep'].map((one) => `--${one}`).join(', ')
    throw new InvalidInput(`pump_script has '${flag}' where one of ${known} is expected.`, {
      details: { field: 'pump_script', value: flag },
    })
  }
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
  const max = name === 'sleep' ? MAX_SLEEP_S : Number.POSITIVE_INFINITY
  if (!(value >= 0 && value <= max && Number.isFinite(value))) {
    const limit = name === 'sleep' ? `0 to ${MAX_SLEEP_S} s` : '0 mL or more'
    throw new InvalidInput(`${flag} is '${text ?? ''}'; it must be ${limit}.`, {
      details: { field: 'pump_script', value: text, limit },
    })
  }
  return name === 'sleep' ? { kind: 'sleep', seconds: value } : { kind: 'pump', pump: name, ml: value }
}
