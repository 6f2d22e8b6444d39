import { type ClaimedPorts, claimPorts } from '../transport/claimed-ports.js'
import type { BoardHardware, Hardware } from '../transport/hardware.js'
import { inTime } from './in-time.js'
import { type Instrument, portClaims } from './instrument.js'

/** What could be switched off, and what could not. The instruments name the steps. */
export interface SafeStateReport {
  /** Whether every output that was found is off. */
  readonly safe: boolean
  readonly done: readonly string[]
  readonly failed: readonly { readonly step: string; readonly reason: string }[]
}

/** What `makeSafe` of an instrument is given. */
export interface SafeContext {
  readonly hardware: BoardHardware
  readonly ports: ClaimedPorts
  /** Does one step in time, and reports it as done or failed. Never rejects: the others go on. */
  step(name: string, work: () => Promise<unknown>): Promise<void>
}

/** The whole takes no longer than this, whatever hangs. */
const LIMIT_MS = 2000
/** A step that used up its time is reported before its instrument is. */
const GRACE_MS = 50

/** Switches every output of the instruments off. Needs no broker, log or configuration. Every step is tried, whatever becomes of the others;
 * never throws. */
export async function driveOutputsSafe(
  hardware: Hardware,
  instruments: readonly Instrument[],
): Promise<SafeStateReport> {
  const done: string[] = []
  const failed: { step: string; reason: string }[] = []
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      // What is thrown at once counts as a failure too.
      await inTime(LIMIT_MS, Promise.resolve().then(work))
      done.push(name)
    } catch (error) {
      failed.push({ step: name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  const portsOf = claimPorts(hardware.serial, portClaims(instruments))
  await Promise.all(
    instruments.map(async (instrument) => {
      try {
        await inTime(LIMIT_MS + GRACE_MS, instrument.makeSafe({ hardware, ports: portsOf(instrument.name), step }))
      } catch (error) {
        failed.push({ step: instrument.name, reason: error instanceof Error ? error.message : String(error) })
      }
    }),
  )
  return { safe: failed.length === 0, done: [...done], failed: [...failed] }
}

/** The report where there is nothing to switch off. */
export const nothingToSwitchOff = (instruments: readonly Instrument[]): SafeStateReport => ({
  safe: true,
  done: instruments.flatMap(({ outputs }) => outputs),
  failed: [],
})
