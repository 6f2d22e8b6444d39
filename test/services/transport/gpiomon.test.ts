import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeEdge, decodeGpiomonVersion, findHeaderChip } from '../../../services/transport/gpiomon.codec.js'
import { createGpiomonEdges } from '../../../services/transport/gpiomon-edges.js'

test.each([
  ['event: FALLING EDGE offset: 21 timestamp: [    1234.000000567]', 1234.000000567],
  ['event: FALLING EDGE offset: 4 timestamp: [12345678.120000000]', 12345678.12],
  ['event:  RISING EDGE offset: 21 timestamp: [    1234.000000567]', null],
  ['1234.567890123\tfalling\tgpiochip0 21', 1234.567890123],
  ['  12.500000000\tfalling\t"GPIO21"', 12.5],
  ['1234.567890123\trising\tgpiochip0 21', null],
  ["Monitoring line '21'...", null],
  ['', null],
])('%j is an edge at %d', (line, timeS) => {
  expect(decodeEdge(line)).toBe(timeS)
})

test.each([
  ['gpiomon (libgpiod) v1.6.3\nCopyright (C) 2017', 1],
  ['gpiomon (libgpiod) v2.2.1\nCopyright (C) 2017', 2],
  ['', 2],
])('%j is version %i', (text, version) => {
  expect(decodeGpiomonVersion(text)).toBe(version)
})

test('the header is found by label, wherever it is numbered', () => {
  expect(findHeaderChip('gpiochip10 [gpio-brcmstb@107d508500] (32 lines)\ngpiochip0 [pinctrl-rp1] (54 lines)\n')).toBe(
    'gpiochip0',
  )
  expect(findHeaderChip('gpiochip0 [gpio-mockup-A] (8 lines)')).toBeNull()
})

let directory: string
const program = async (name: string, script: string): Promise<void> => {
  await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`)
  await chmod(join(directory, name), 0o755)
}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gpiod-'))
  await program('gpiodetect', 'echo "gpiochip4 [pinctrl-rp1] (54 lines)"')
})
afterEach(() => rm(directory, { recursive: true }))

test('edges are reported until told to stop, and the program ends', async () => {
  await program(
    'gpiomon',
    `if [ "$1" = --version ]; then echo "gpiomon (libgpiod) v2.1"; exit; fi
echo $$ "$@" > ${directory}/started
printf '10.0\\tfalling\\tgpiochip4 21\\n10.12\\tfalling\\tgpiochip4 21\\n'
exec sleep 60`,
  )
  const times: number[] = []
  let bothSeen: () => void = () => undefined
  const seen = new Promise<void>((resolve) => {
    bothSeen = resolve
  })
  const end = await createGpiomonEdges(directory).watchFalling(21, (timeS) => {
    times.push(timeS)
    if (times.length === 2) bothSeen()
  })
  await seen
  await end()
  expect(times).toEqual([10, 10.12])
  const [pid, ...args] = (await readFile(join(directory, 'started'), 'utf8')).trim().split(' ')
  expect(args.join(' ')).toBe('--edges falling --bias pull-up --chip gpiochip4 21')
  expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/)
})

test('without libgpiod the package is named', async () => {
  await rm(join(directory, 'gpiodetect'))
  await expect(createGpiomonEdges(directory).watchFalling(21, () => undefined)).rejects.toMatchObject({
    code: 'hardware.no_edges',
    remediation: expect.stringContaining('gpiod'),
  })
})
