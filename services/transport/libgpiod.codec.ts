/** What the programs of libgpiod 1.x and 2.x understand and print. */

export type LibgpiodVersion = 1 | 2

/** Major version in the first line of `gpiomon --version`: `gpiomon (libgpiod) v1.6.3`; 2 when it cannot be told. */
export const decodeLibgpiodVersion = (text: string): LibgpiodVersion =>
  /\bv?1\.\d/.test(text.split('\n')[0] ?? '') ? 1 : 2

/** What is watched on an input: falling edges with the pull-up on, or both edges with the pull-down on. */
export type Watched = 'falling' | 'both'

/** Arguments of `gpiomon` that report the edges of one line, each line of text flushed at once. */
export function gpiomonArguments(
  version: LibgpiodVersion,
  chip: string,
  pin: number,
  watched: Watched,
): readonly string[] {
  const bias = watched === 'falling' ? 'pull-up' : 'pull-down'
  if (version === 2) return ['--edges', watched, '--bias', bias, '--chip', chip, String(pin)]
  const edges = watched === 'falling' ? ['--falling-edge'] : []
  return [...edges, `--bias=${bias}`, '--line-buffered', chip, String(pin)]
}

/** Arguments of `gpioset` that drive one line until the program is ended. */
export const gpiosetArguments = (
  version: LibgpiodVersion,
  chip: string,
  pin: number,
  high: boolean,
): readonly string[] => {
  const value = `${pin}=${high ? 1 : 0}`
  return version === 2 ? ['--chip', chip, value] : ['--mode=signal', chip, value]
}

/** A level that a line took on, and when, in s of the kernel's monotonic clock. */
export interface Edge {
  readonly high: boolean
  readonly timeS: number
}

/** `event: FALLING EDGE offset: 21 timestamp: [    1234.000000567]` */
const VERSION_1 = /^event:\s+(FALLING|RISING) EDGE\s.*timestamp:\s*\[\s*(\d+\.\d+)\]/
/** `1234.000000567	falling	gpiochip0 21` */
const VERSION_2 = /^\s*(?<time>\d+\.\d+)\s+(?<edge>falling|rising)\s/

/** The edge that a line of `gpiomon` tells of, null when it is about something else. */
export function decodeEdge(line: string): Edge | null {
  const first = VERSION_1.exec(line)
  if (first !== null) return { high: first[1] === 'RISING', timeS: Number(first[2]) }
  const second = VERSION_2.exec(line)?.groups
  return second === undefined ? null : { high: second['edge'] === 'rising', timeS: Number(second['time']) }
}

/** Labels of the controllers behind the 40-pin header: Pi 5, Pi 4, older. */
const HEADER_LABELS = ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835']

/** Name of the header's chip in the output of `gpiodetect`, lines such as `gpiochip0 [pinctrl-bcm2711] (58 lines)`. */
export function findHeaderChip(gpiodetect: string): string | null {
  const chips = [...gpiodetect.matchAll(/^(\S+) \[([^\]]+)\]/gm)]
  for (const label of HEADER_LABELS) {
    const chip = chips.find((match) => match[2] === label)?.[1]
    if (chip !== undefined) return chip
  }
  return null
}

/** Arguments of `gpioinfo` that list the lines of one chip. */
export const gpioinfoArguments = (version: LibgpiodVersion, chip: string): readonly string[] =>
  version === 2 ? ['--chip', chip] : [chip]

/** What `gpioinfo` says of a pin: its user; empty when it is free, null when the chip has no such line.
 * 1.x prints `	line  21:      "GPIO21"       unused   input  active-high`, with a user `"gpiomon"` in place of `unused`;
 * 2.x `	line  21:	"GPIO21"        	input bias=pull-up consumer="gpiomon"`. */
export function decodeConsumer(gpioinfo: string, pin: number): string | null {
  const line = new RegExp(`^\\s*line\\s+${pin}:\\s*(.*)$`, 'm').exec(gpioinfo)?.[1]
  if (line === undefined) return null
  const named = /consumer="?([^"\s]*)"?/.exec(line)?.[1]
  if (named !== undefined) return named
  // The name of the line comes first, quoted or the word `unnamed`; in 1.x its user follows.
  return /^(?:"[^"]*"|\S+)\s+"([^"]*)"/.exec(line)?.[1] ?? ''
}
