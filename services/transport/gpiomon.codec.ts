/** What gpiomon of libgpiod 1.x and 2.x understand and print. */

/** Major version in the first line of `gpiomon --version`: `gpiomon (libgpiod) v1.6.3`; 2 when it cannot be told. */
export const decodeGpiomonVersion = (text: string): 1 | 2 => (/\bv?1\.\d/.test(text.split('\n')[0] ?? '') ? 1 : 2)

/** Arguments that report the falling edges of one line with its pull-up on, each line flushed at once. */
export const gpiomonArguments = (version: 1 | 2, chip: string, pin: number): readonly string[] =>
  version === 1
    ? ['--falling-edge', '--bias=pull-up', '--line-buffered', chip, String(pin)]
    : ['--edges', 'falling', '--bias', 'pull-up', '--chip', chip, String(pin)]

/** `event: FALLING EDGE offset: 21 timestamp: [    1234.000000567]` */
const VERSION_1 = /^event:\s+FALLING EDGE\s.*timestamp:\s*\[\s*(\d+\.\d+)\]/
/** `1234.000000567	falling	gpiochip0 21` */
const VERSION_2 = /^\s*(\d+\.\d+)\s+falling\s/

/** Time in s of a falling edge, null when the line is about something else. */
export function decodeEdge(line: string): number | null {
  const time = (VERSION_1.exec(line) ?? VERSION_2.exec(line))?.[1]
  return time === undefined ? null : Number(time)
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
