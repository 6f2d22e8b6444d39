import type { VirtualPotentiostat } from './virtual-potentiostat.js'

/** What goes wrong. Counts are replies since the fault was set; absent means never. */
export interface Faults {
  /** Every n-th reply is lost, has a wrong CRC, comes 40 ms late, loses its second half. */
  readonly dropEvery?: number
  readonly corruptEvery?: number
  readonly delayEvery?: number
  readonly cutEvery?: number
  /** After so many replies the device never answers again; 0: from the start. */
  readonly stuckAfter?: number
  /** After so many replies the port disappears, and comes back half a second later. */
  readonly replugAfter?: number
  /** After so many replies the control loop rests for a second and then catches up at once, which overflows the ADC FIFO. */
  readonly haltAfter?: number
  /** What an earlier host left behind: points in the DAC FIFO, a latched STOP, a run with the cell connected. */
  readonly leftoverPoints?: number
  readonly stopLatched?: boolean
  readonly startsRunning?: boolean
}

export const DELAY_MS = 40
export const REPLUG_MS = 500
export const HALT_MS = 1000
/** Potential that leftover points would apply, V. */
const LEFTOVER_V = 0.5

/** Puts a device into the state an earlier host left it in. */
export function leaveBehind({ core }: VirtualPotentiostat, faults: Faults): void {
  for (let i = 0; i < (faults.leftoverPoints ?? 0); i++) core.dacFifo.push(LEFTOVER_V)
  if (faults.startsRunning === true) core.startFifo(true)
  if (faults.stopLatched === true) core.requestStop()
}

/** What happens to one reply. */
export interface ReplyFate {
  /** Bytes to send, null for none. */
  readonly bytes: Uint8Array | null
  readonly delayMs: number
  readonly thenReplug: boolean
  readonly thenHalt: boolean
}

/** Decides about each reply in turn. */
export class FaultyLine {
  readonly #faults: Faults
  #replies = 0

  constructor(faults: Faults = {}) {
    this.#faults = faults
  }

  fateOf(reply: Uint8Array): ReplyFate {
    const { dropEvery, corruptEvery, delayEvery, cutEvery, stuckAfter, replugAfter, haltAfter } = this.#faults
    const count = ++this.#replies
    const everyNth = (n: number | undefined): boolean => n !== undefined && count % n === 0
    const lost = everyNth(dropEvery) || (stuckAfter !== undefined && count > stuckAfter)
    const corrupted = everyNth(corruptEvery) ? withWrongCrc(reply) : reply
    const cut = everyNth(cutEvery) ? corrupted.subarray(0, reply.length >> 1) : corrupted
    return {
      bytes: lost ? null : cut,
      delayMs: everyNth(delayEvery) ? DELAY_MS : 0,
      thenReplug: count === replugAfter,
      thenHalt: count === haltAfter,
    }
  }
}

function withWrongCrc(reply: Uint8Array): Uint8Array {
  const wrong = Uint8Array.from(reply)
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 0xff
  return wrong
}
