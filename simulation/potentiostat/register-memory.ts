import { type RegisterGroup, registerGroups } from '../../services/potentiostat/device/registers.js'
import { pidDefaults } from './galvanostat.js'

export type GroupName = keyof typeof registerGroups

/** One register group as the firmware holds it: a little-endian structure. */
export interface GroupMemory {
  readonly name: GroupName
  readonly access: RegisterGroup['access']
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Bit of the access level that each direction needs: 0 live values, 2 configuration, 8 passwords; the next bit for writing. */
export const accessBit = (name: GroupName, direction: 'read' | 'write'): number => {
  const address = registerGroups[name].address
  const kind = address >= 0x5000 ? 8 : address >= 0x3000 && name !== 'command' ? 2 : 0
  return 1 << (direction === 'read' ? kind : kind + 1)
}

/** The groups of one device. */
export class RegisterMemory {
  readonly #groups = new Map<number, GroupMemory>()
  readonly #byName = new Map<GroupName, GroupMemory>()

  constructor() {
    for (const name of Object.keys(registerGroups) as GroupName[]) {
      const { address, length, access } = registerGroups[name]
      const bytes = new Uint8Array(2 * length)
      const group = { name, access, bytes, view: new DataView(bytes.buffer) }
      this.#groups.set(address >> 8, group)
      this.#byName.set(name, group)
    }
  }

  /** The group of an address's high byte. */
  find(code: number): GroupMemory | undefined {
    return this.#groups.get(code)
  }

  view(name: GroupName): DataView {
    const group = this.#byName.get(name)
    if (group === undefined) throw new TypeError(`no register group ${name}`)
    return group.view
  }

  /** As after a boot: zeros and the built-in configuration. */
  reset(): void {
    for (const { bytes } of this.#groups.values()) bytes.fill(0)
    this.loadDefaults()
  }

  /** Built-in configuration; everything else stays. */
  loadDefaults(): void {
    this.setFloats('analogInConfig', [1, 0, 100, -3, 4.95, 100, 1, 0, 10, 1, 0, 10, 3, 0, 10])
    this.setFloats('analogOutConfig', [-1 / 3, 1.65, 0, 1, 0, 0, 1, 0, 1.65])
    this.setFloats('pidConfig', pidDefaults)
    this.setWords('systemConfig', [200, 50, 10_000, 200])
  }

  setFloats(name: GroupName, values: readonly number[]): void {
    const view = this.view(name)
    for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true)
  }

  /** Unsigned or signed 32-bit integers. */
  setWords(name: GroupName, values: readonly number[]): void {
    const view = this.view(name)
    for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true)
  }
}
