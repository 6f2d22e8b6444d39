import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock, Logger } from '../../../events/ports.js'
import type { DeviceScan } from '../../../events/potentiostat/commands.js'
import type { DeviceRecord } from '../../../events/potentiostat/devices.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { ClaimedPorts } from '../../transport/claimed-ports.js'
import type { SerialDevice } from '../../transport/hardware.js'
import { ConnectionLost } from '../../transport/modbus-client.js'
import { Potentiostat } from '../device/device.js'
import { drain } from '../device/quiesce.js'

export interface SlotsDeps {
  readonly ports: ClaimedPorts
  readonly clock: Clock
  readonly logger: Logger
  /** Told of every change. */
  onChange(record: DeviceRecord): void
}

interface Slot {
  readonly name: string
  readonly serialNumber: string | null
  port: string
  device: Potentiostat | null
  runId: string | null
  /** Why it could not be connected when last tried; reported once. */
  problem: string | null
}

/** The places of the box. A slot belongs to a serial number for good: whichever order devices are found in, each returns to its own. */
export class Slots {
  readonly #deps: SlotsDeps
  readonly #slots = new Map<string, Slot>()
  readonly #serially = createSerialQueue()
  #closed = false

  /** @param known device records of earlier lives, which bind serial numbers to slots. */
  constructor(deps: SlotsDeps, known: readonly DeviceRecord[]) {
    this.#deps = deps
    for (const { slot, sn, port } of known) {
      this.#slots.set(slot, { name: slot, serialNumber: sn, port, device: null, runId: null, problem: null })
    }
  }

  /** Names of the slots with a device at rest or at work, ascending. */
  get connected(): readonly string[] {
    return this.#sorted().flatMap((slot) => (isConnected(slot) ? [slot.name] : []))
  }

  holder(name: string): string | null {
    return this.#slots.get(name)?.runId ?? null
  }

  device(name: string): Potentiostat | null {
    return this.#slots.get(name)?.device ?? null
  }

  serialNumber(name: string): string | null {
    return this.#slots.get(name)?.serialNumber ?? null
  }

  reserve(names: readonly string[], runId: string): void {
    for (const name of names) this.#hold(name, runId)
  }

  release(name: string): void {
    this.#hold(name, null)
  }

  announceAll(): void {
    for (const slot of this.#sorted()) this.#announce(slot)
  }

  /** Looks which devices are there. New ones are opened and brought to rest, cell open, before their slot counts as connected; slots
   * held by a run are left alone. Never throws for a device that cannot be opened. */
  scan(): Promise<DeviceScan> {
    return this.#serially(async () => {
      const present = await this.#deps.ports.list()
      const before = new Set(this.connected)
      await Promise.all(this.#sorted().map((slot) => this.#dropIfGone(slot, present)))
      // Names are given in a stable order, the work is done at once.
      const found = [...present].sort((a, b) => identity(a).localeCompare(identity(b)))
      await Promise.all(found.map((candidate) => this.#connect(this.#slotOf(candidate), candidate.path)))
      const after = [...this.connected]
      return {
        devices: after,
        added: after.filter((name) => !before.has(name)),
        removed: [...before].filter((name) => !after.includes(name)),
        busy: after.filter((name) => this.holder(name) !== null),
      }
    })
  }

  /** Closes every connection at once; requests that wait for a reply fail. A scan under way opens nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(
      this.#sorted().map(async (slot) => {
        await slot.device?.close()
        slot.device = null
      }),
    )
  }

  async #dropIfGone(slot: Slot, present: readonly SerialDevice[]): Promise<void> {
    const { device } = slot
    if (device === null || slot.runId !== null) return
    const still = present.some((candidate) => this.#belongs(slot, candidate) && candidate.path === slot.port)
    if (still && !device.modbus.closed.aborted) return
    await device.close()
    slot.device = null
    this.#announce(slot)
  }

  async #connect(slot: Slot, path: string): Promise<void> {
    if (slot.device !== null || this.#closed) return
    slot.port = path
    const { ports, clock, logger } = this.#deps
    try {
      const device = new Potentiostat(await ports.open(path))
      try {
        await drain(device, clock)
        if (this.#closed) throw new ConnectionLost('the service stopped')
      } catch (error) {
        await device.close()
        throw error
      }
      slot.device = device
      slot.problem = null
      this.#announce(slot)
      logger.debug({ slot: slot.name, sn: slot.serialNumber, at: timestampOf(clock.now()) }, 'potentiostat connected')
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== slot.problem)
        logger.warn({ slot: slot.name, port: path, err: error }, 'potentiostat cannot be used')
      slot.problem = problem
    }
  }

  #slotOf(candidate: SerialDevice): Slot {
    const known = this.#sorted().find((slot) => this.#belongs(slot, candidate))
    if (known !== undefined) return known
    let number = 1
    while (this.#slots.has(slotName(number))) number += 1
    const slot: Slot = {
      name: slotName(number),
      serialNumber: candidate.serialNumber,
      port: candidate.path,
      device: null,
      runId: null,
      problem: null,
    }
    this.#slots.set(slot.name, slot)
    return slot
  }

  #belongs(slot: Slot, candidate: SerialDevice): boolean {
    return slot.serialNumber === null && candidate.serialNumber === null
      ? slot.port === candidate.path
      : slot.serialNumber === candidate.serialNumber
  }

  #hold(name: string, runId: string | null): void {
    const slot = this.#slots.get(name)
    if (slot === undefined) return
    slot.runId = runId
    this.#announce(slot)
  }

  #announce(slot: Slot): void {
    const { name, port, serialNumber, runId } = slot
    this.#deps.onChange({ slot: name, port, sn: serialNumber, connected: isConnected(slot), run_id: runId })
  }

  #sorted(): readonly Slot[] {
    return [...this.#slots.values()].sort((a, b) => a.name.localeCompare(b.name))
  }
}

/** A device that was pulled out is gone at once, although its slot is cleared by the next scan only. */
const isConnected = ({ device }: Slot): boolean => device !== null && !device.modbus.closed.aborted
const identity = ({ serialNumber, path }: SerialDevice): string => serialNumber ?? path
const slotName = (number: number): string => `slot${String(number).padStart(2, '0')}`
