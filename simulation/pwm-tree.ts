import { type FSWatcher, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CONTROLLER_CHANNELS,
  decodeAttribute,
  dutyPercent,
  encodeGpiosCell,
} from '../services/transport/sysfs-pwm.codec.js'

/** Should the kernel's notice of a write be missed, it is found this much later. */
const POLL_MS = 250

interface Chip {
  readonly path: string
  /** Pin by channel number. */
  readonly pins: ReadonlyMap<number, number>
  readonly exported: Set<number>
}

/** A directory in the shape of `/sys/class/pwm`: a Pi 4's controller for pins 12 and 13, a `pwm-gpio` chip for each other pin.
 * Writes to its files are reported as duty cycles in %, 0 while disabled.
 * @returns A function that ends the watching; the files stay. */
export function servePwmTree(
  root: string,
  pins: readonly number[],
  onDutyCycle: (pin: number, percent: number) => void,
): () => void {
  rmSync(root, { recursive: true, force: true })
  const ofController = pins.filter((pin) => pin in CONTROLLER_CHANNELS)
  const chips = [
    createChip(join(root, 'pwmchip0'), new Map(ofController.map((pin) => [CONTROLLER_CHANNELS[pin] ?? 0, pin]))),
    ...pins
      .filter((pin) => !ofController.includes(pin))
      .map((pin, index) => createChip(join(root, `pwmchip${index + 1}`), new Map([[0, pin]]))),
  ]
  const watchers: FSWatcher[] = []
  const look = (chip: Chip): void => {
    const wanted = readNumber(join(chip.path, 'export'))
    if (wanted !== null && chip.pins.has(wanted) && !chip.exported.has(wanted)) {
      exportChannel(chip, wanted)
      watchers.push(watch(join(chip.path, `pwm${wanted}`), () => look(chip)))
    }
    for (const channel of chip.exported) {
      const percent = readDutyCycle(join(chip.path, `pwm${channel}`))
      if (percent !== null) onDutyCycle(chip.pins.get(channel) ?? 0, percent)
    }
  }
  const tryLook = (chip: Chip): void => {
    try {
      look(chip)
    } catch {
      // The disk is full: nothing can be exported until the next look.
    }
  }
  watchers.push(...chips.map((chip) => watch(chip.path, () => tryLook(chip))))
  const poll = setInterval(() => chips.forEach(tryLook), POLL_MS)
  return () => {
    clearInterval(poll)
    for (const watcher of watchers) watcher.close()
  }
}

function createChip(path: string, pins: ReadonlyMap<number, number>): Chip {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'npwm'), `${Math.max(...pins.keys()) + 1}\n`)
  const [pin] = pins.values()
  if (pin !== undefined && pin in CONTROLLER_CHANNELS) {
    mkdirSync(join(path, '..', '..', 'devices', 'fe20c000.pwm'), { recursive: true })
    symlinkSync(join('..', '..', 'devices', 'fe20c000.pwm'), join(path, 'device'))
  } else {
    mkdirSync(join(path, 'device', 'of_node'), { recursive: true })
    writeFileSync(join(path, 'device', 'of_node', 'gpios'), encodeGpiosCell(pin ?? 0))
  }
  writeFileSync(join(path, 'export'), '')
  return { path, pins, exported: new Set() }
}

/** The directory appears with all its files at once. */
function exportChannel(chip: Chip, channel: number): void {
  const unfinished = join(chip.path, `.pwm${channel}`)
  mkdirSync(unfinished, { recursive: true })
  for (const file of ['duty_cycle', 'enable', 'period']) writeFileSync(join(unfinished, file), '0\n')
  renameSync(unfinished, join(chip.path, `pwm${channel}`))
  chip.exported.add(channel)
  writeFileSync(join(chip.path, 'export'), '')
}

/** null while a writer has emptied the file and not yet filled it, or when it is gone. */
function readNumber(path: string): number | null {
  try {
    return decodeAttribute(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

function readDutyCycle(path: string): number | null {
  const [period, duty, enable] = ['period', 'duty_cycle', 'enable'].map((file) => readNumber(join(path, file)))
  if (period == null || duty == null || enable == null) return null
  return enable === 1 ? Math.min(100, dutyPercent(period, duty)) : 0
}
