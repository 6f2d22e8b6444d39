import type { Clock } from '../../events/ports.js'
import { type Faults, FaultyLine, HALT_MS, leaveBehind, REPLUG_MS } from './faults.js'
import { FrameGatherer } from './frame-gatherer.js'
import type { Pacer } from './pacer.js'
import { VirtualPotentiostat, type VirtualPotentiostatOptions } from './virtual-potentiostat.js'

export interface PoweredDeviceOptions extends VirtualPotentiostatOptions {
  readonly faults?: Faults
  /** Told at every change of the cell switch, and once at the start when it is closed. */
  readonly onCellSwitch?: (serial: string, closed: boolean) => void
}

/** Steps made at once, 0.1 s; where the machine holds this process up for longer the device loses time, not samples. */
const MAX_CATCH_UP_STEPS = 280

/** A device whose time passes with the clock, and whose replies may go wrong on their way. Any number of hosts may be connected. */
export class PoweredDevice {
  readonly device: VirtualPotentiostat
  /** Told when the port comes or goes for reasons of the device: reset, bootloader, fault. */
  onPresence: (present: boolean) => void = () => undefined
  readonly #clock: Clock
  readonly #options: PoweredDeviceOptions
  readonly #leavePacer: () => void
  #line: FaultyLine
  readonly #startMs: number
  #stepsDone = 0
  #haltedUntilMs = 0
  /** The time of a halt is still to be made up for, all of it. */
  #halted = false
  #goneUntilMs = 0
  #present = true
  #closed = false

  constructor(pacer: Pacer, options: PoweredDeviceOptions) {
    this.device = new VirtualPotentiostat(options)
    this.#options = options
    this.#clock = pacer.clock
    this.#startMs = this.#clock.monotonicMs()
    this.#line = new FaultyLine(options.faults)
    leaveBehind(this.device, options.faults ?? {})
    this.#leavePacer = pacer.join((nowMs) => this.#wake(nowMs))
    this.#report()
  }

  /** Sets other faults, counting from now. */
  setFaults(faults: Faults): void {
    this.#line = new FaultyLine(faults)
    leaveBehind(this.device, faults)
    this.#report()
  }

  /** Stops the control loop for `ms`; then it catches up at once. */
  halt(ms: number): void {
    this.#haltedUntilMs = this.#clock.monotonicMs() + ms
    this.#halted = true
  }

  /** A host: returns where its bytes go; replies come through `send`. */
  connect(send: (bytes: Uint8Array) => void): (chunk: Uint8Array) => void {
    const gatherer = new FrameGatherer(this.#clock, (frame) => this.#answer(frame, send))
    return (chunk) => gatherer.push(chunk)
  }

  stop(): void {
    this.#leavePacer()
  }

  #answer(frame: Uint8Array, send: (bytes: Uint8Array) => void): void {
    const nowMs = this.#clock.monotonicMs()
    this.#catchUp(nowMs)
    const reply = this.device.handle(frame)
    this.#report()
    if (reply === null) return
    const fate = this.#line.fateOf(reply)
    if (fate.thenHalt) this.halt(HALT_MS)
    if (fate.bytes !== null && fate.delayMs === 0) send(fate.bytes)
    else if (fate.bytes !== null) void this.#sendLater(fate.bytes, nowMs + fate.delayMs, send)
    if (fate.thenReplug) {
      this.#goneUntilMs = nowMs + REPLUG_MS
      this.#wake(nowMs)
    }
  }

  async #sendLater(bytes: Uint8Array, dueMs: number, send: (bytes: Uint8Array) => void): Promise<void> {
    await this.#clock.sleepUntil(dueMs)
    send(bytes)
  }

  #wake(nowMs: number): void {
    this.#catchUp(nowMs)
    this.#report()
    const present = this.device.attached && nowMs >= this.#goneUntilMs
    if (present === this.#present) return
    this.#present = present
    this.onPresence(present)
  }

  #catchUp(nowMs: number): void {
    if (nowMs < this.#haltedUntilMs) return
    const due = Math.floor((nowMs - this.#startMs) / 1000 / this.device.core.periodS)
    if (!this.#halted) this.#stepsDone = Math.max(this.#stepsDone, due - MAX_CATCH_UP_STEPS)
    this.#halted = false
    for (; this.#stepsDone < due; this.#stepsDone++) this.device.step()
  }

  #report(): void {
    if (this.#closed === this.device.cellSwitchClosed) return
    this.#closed = this.device.cellSwitchClosed
    this.#options.onCellSwitch?.(this.device.serial, this.#closed)
  }
}
