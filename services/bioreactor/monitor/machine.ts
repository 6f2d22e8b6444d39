import type { StatsFs } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { availableParallelism, type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { dirname, resolve } from 'node:path'
import { webServerAnswers } from './web-server.js'

/** Addresses of one kind, joined by comma and space. */
export interface NetworkAddresses {
  /** `127.0.0.1` without a network. */
  readonly ipv4: string
  /** `Not available` without such an interface. */
  readonly wlan: string
  readonly eth: string
}

/** The computer of the unit. */
export interface Machine {
  readonly cores: number
  /** Room for data, GiB. */
  freeDiskGib(): Promise<number>
  /** ℃; null where the computer does not tell. */
  cpuTemperatureC(): Promise<number | null>
  network(): NetworkAddresses
  /** Whether the web server at this address answers. */
  webServerAnswers(url: string): Promise<boolean>
}

const GIB = 2 ** 30

/** This computer. @param directory on the file system that holds the data */
export const thisComputer = (directory: string): Machine => ({
  cores: availableParallelism(),
  async freeDiskGib() {
    const { bavail, bsize } = await fileSystemOf(resolve(directory))
    return (bavail * bsize) / GIB
  },
  async cpuTemperatureC() {
    const text = await readFile('/sys/class/thermal/thermal_zone0/temp', 'utf8').catch(() => null)
    const milliCelsius = Number(text ?? Number.NaN)
    return Number.isFinite(milliCelsius) ? milliCelsius / 1000 : null
  },
  network: () => addressesOf(networkInterfaces()),
  webServerAnswers,
})

/** Of a directory that need not be there yet. */
async function fileSystemOf(directory: string): Promise<StatsFs> {
  try {
    return await statfs(directory)
  } catch (error) {
    const parent = dirname(directory)
    if (parent === directory) throw error
    return fileSystemOf(parent)
  }
}

const ALL_ZEROS = '00:00:00:00:00:00'

/** Wireless interfaces begin with `wl`, wired ones with `e`, as the kernel and systemd name them. */
export function addressesOf(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): NetworkAddresses {
  const all = Object.entries(interfaces).flatMap(([name, found = []]) => found.map((one) => ({ name, ...one })))
  const joined = (values: readonly string[], none: string): string => [...new Set(values)].join(', ') || none
  const macs = (prefix: string): string =>
    joined(
      all.filter(({ name, mac }) => name.startsWith(prefix) && mac !== ALL_ZEROS).map(({ mac }) => mac),
      'Not available',
    )
  const reachable = all.filter(({ family, internal }) => family === 'IPv4' && !internal)
  return {
    ipv4: joined(
      reachable.map(({ address }) => address),
      '127.0.0.1',
    ),
    wlan: macs('wl'),
    eth: macs('e'),
  }
}
