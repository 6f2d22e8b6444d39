import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  decodeConsumer,
  decodeEdge,
  decodeLibgpiodVersion,
  findHeaderChip,
  gpioinfoArguments,
  gpiomonArguments,
  gpiosetArguments,
} from '../../../services/transport/libgpiod.codec.js'
import { createLibgpiod } from '../../../services/transport/libgpiod.js'
import { eventually } from '../../support/eventually.js'
import { isAlive } from '../../support/is-alive.js'

test.each([
  ['event: FALLING EDGE offset: 21 timestamp: [    1234.000000567]', { high: false, timeS: 1234.000000567 }],
  ['event: FALLING EDGE offset: 4 timestamp: [12345678.120000000]', { high: false, timeS: 12345678.12 }],
  ['event:  RISING EDGE offset: 21 timestamp: [    1234.000000567]', { high: true, timeS: 1234.000000567 }],
  ['1234.567890123\tfalling\tgpiochip0 21', { high: false, timeS: 1234.567890123 }],
  ['  12.500000000\tfalling\t"GPIO21"', { high: false, timeS: 12.5 }],
  ['1234.567890123\trising\tgpiochip0 21', { high: true, timeS: 1234.567890123 }],
  ["Monitoring line '21'...", null],
  ['', null],
])('%j is the edge %j', (line, edge) => {
  expect(decodeEdge(line)).toEqual(edge)
})

test.each([
  ['gpiomon (libgpiod) v1.6.3\nCopyright (C) 2017', 1],
  ['gpiomon (libgpiod) v2.2.1\nCopyright (C) 2017', 2],
  ['', 2],
])('%j is version %i', (text, version) => {
  expect(decodeLibgpiodVersion(text)).toBe(version)
})

test('each version is given its own options', () => {
  expect(gpiomonArguments(1, 'gpiochip0', 21, 'falling').join(' ')).toBe(
    '--falling-edge --bias=pull-up --line-buffered gpiochip0 21',
  )
  expect(gpiomonArguments(1, 'gpiochip0', 4, 'both').join(' ')).toBe('--bias=pull-down --line-buffered gpiochip0 4')
  expect(gpiomonArguments(2, 'gpiochip0', 4, 'both').join(' ')).toBe('--edges both --bias pull-down --chip gpiochip0 4')
  expect(gpiosetArguments(1, 'gpiochip0', 23, true).join(' ')).toBe('--mode=signal gpiochip0 23=1')
  expect(gpiosetArguments(2, 'gpiochip0', 23, false).join(' ')).toBe('--chip gpiochip0 23=0')
  expect(gpioinfoArguments(1, 'gpiochip0')).toEqual(['gpiochip0'])
})

test('the header is found by label, wherever it is numbered', () => {
  expect(findHeaderChip('gpiochip10 [gpio-brcmstb@107d508500] (32 lines)\ngpiochip0 [pinctrl-rp1] (54 lines)\n')).toBe(
    'gpiochip0',
  )
  expect(findHeaderChip('gpiochip0 [gpio-mockup-A] (8 lines)')).toBeNull()
})

test.each([
  ['\tline  21:      "GPIO21"       unused   input  active-high ', ''],
  ['\tline  21:      "GPIO21"      "gpiomon"   input  active-high [used pull-up]', 'gpiomon'],
  ['\tline  21:      unnamed       "gpiomon"   input  active-high [used]', 'gpiomon'],
  ['\tline  21:\t"GPIO21"        \tinput', ''],
  ['\tline  21:\t"GPIO21"        \tinput bias=pull-up edges=falling consumer="gpiomon"', 'gpiomon'],
  ['\tline  21:\tunnamed        \toutput consumer=gpioset', 'gpioset'],
  ['\tline  20:\t"GPIO20"        \tinput', null],
])('%j names the user %j', (text, user) => {
  expect(decodeConsumer(`gpiochip0 - 58 lines:\n${text}\n`, 21)).toBe(user)
})

let directory: string
const program = async (name: string, script: string): Promise<void> => {
  await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`)
  await chmod(join(directory, name), 0o755)
}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gpiod-'))
  await program('gpiodetect', 'echo "gpiochip4 [pinctrl-rp1] (54 lines)"')
  await program('gpiomon', 'echo "gpiomon (libgpiod) v2.1"')
})
afterEach(() => rm(directory, { recursive: true }))

/** Tells its process id and arguments in a file of its name, prints, and works until it is ended. */
const working = (name: string, printed = ''): Promise<void> =>
  program(
    name,
    `if [ "$1" = --version ]; then echo "gpiomon (libgpiod) v2.1"; exit; fi
echo $$ "$@" >> ${directory}/${name}.started
printf '${printed}'
exec sleep 60`,
  )
const started = async (name: string): Promise<readonly { readonly pid: number; readonly args: string }[]> => {
  const lines = (await readFile(join(directory, `${name}.started`), 'utf8')).trim().split('\n')
  return lines.map((line) => {
    const [pid, ...args] = line.split(' ')
    return { pid: Number(pid), args: args.join(' ') }
  })
}

test('edges are reported until told to stop, and the program ends', async () => {
  await working(
    'gpiomon',
    String.raw`10.0\tfalling\tgpiochip4 21\n10.06\trising\tgpiochip4 21\n10.12\tfalling\tgpiochip4 21\n`,
  )
  const times: number[] = []
  const end = await createLibgpiod(directory).watchFalling(21, (timeS) => times.push(timeS))
  await eventually(() => expect(times).toEqual([10, 10.12]))
  await end()
  const [child] = await started('gpiomon')
  expect(child?.args).toBe('--edges falling --bias pull-up --chip gpiochip4 21')
  expect(isAlive(child?.pid ?? 0)).toBe(false)
})

test('a button is watched at both edges', async () => {
  await working('gpiomon', String.raw`10.0\trising\tgpiochip4 4\n10.5\tfalling\tgpiochip4 4\n`)
  const levels: [boolean, number][] = []
  const end = await createLibgpiod(directory).watchLevel(4, (high, timeS) => levels.push([high, timeS]))
  await eventually(() =>
    expect(levels).toEqual([
      [true, 10],
      [false, 10.5],
    ]),
  )
  await end()
})

test('a watching program that dies is started again', async () => {
  await working('gpiomon', String.raw`10.0\tfalling\tgpiochip4 21\n`)
  const times: number[] = []
  const end = await createLibgpiod(directory).watchFalling(21, (timeS) => times.push(timeS))
  const [first] = await started('gpiomon')
  process.kill(first?.pid ?? 0)
  await eventually(() => expect(times).toEqual([10, 10]))
  await end()
  for (const { pid } of await started('gpiomon')) expect(isAlive(pid)).toBe(false)
})

test('no program outlives the process that watches', async () => {
  await working('gpiomon')
  const watcher = fork(new URL('./watching-process.js', import.meta.url), [directory], { stdio: 'ignore' })
  await once(watcher, 'message')
  const [child] = await started('gpiomon')
  expect(isAlive(child?.pid ?? 0)).toBe(true)
  watcher.kill('SIGKILL')
  await eventually(() => expect(isAlive(child?.pid ?? 0)).toBe(false))
})

test('a line that somebody else holds is refused with what the system says', async () => {
  await program(
    'gpiomon',
    'if [ "$1" = --version ]; then echo v2.1; exit; fi; echo "gpiomon: unable to request lines: Device or resource busy" >&2; exit 1',
  )
  await expect(createLibgpiod(directory).watchFalling(21, () => undefined)).rejects.toMatchObject({
    code: 'hardware.no_gpio',
    message: expect.stringMatching(/GPIO 21: .*resource busy/),
  })
})

test('an output is low at first, driven as told, and left low', async () => {
  await working('gpioset')
  const output = await createLibgpiod(directory).openOutput(23)
  await output.set(true)
  await eventually(async () => expect(await started('gpioset')).toHaveLength(2))
  await output.close()
  const programs = await started('gpioset')
  expect(programs.map(({ args }) => args.split(' ').at(-1))).toEqual(['23=0', '23=1', '23=0'])
  for (const { pid } of programs) expect(isAlive(pid)).toBe(false)
})

test('without libgpiod the package is named', async () => {
  await rm(join(directory, 'gpiodetect'))
  await expect(createLibgpiod(directory).watchFalling(21, () => undefined)).rejects.toMatchObject({
    code: 'hardware.no_gpio',
    remediation: expect.stringContaining('gpiod'),
  })
})
