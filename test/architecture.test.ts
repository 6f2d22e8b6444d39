import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

interface Rule {
  /** What the folder may import of ours besides its own top folder; paths without extension. */
  readonly ours: readonly RegExp[]
  readonly packages: readonly string[]
}

const EVERYWHERE = /^(events|primitives)\//

/** Folders meet in topics and in `events/`, not in imports. */
const RULES: Readonly<Record<string, Rule>> = {
  events: { ours: [], packages: ['@sinclair/typebox', 'ajv'] },
  primitives: { ours: [/^events\/ports$/], packages: [] },
  'event-log': { ours: [EVERYWHERE], packages: ['better-sqlite3'] },
  doors: { ours: [EVERYWHERE], packages: [] },
  broker: { ours: [EVERYWHERE, /^event-log\//, /^doors\//], packages: ['aedes', 'ws'] },
  bus: { ours: [EVERYWHERE, /^doors\/socket-path$/], packages: ['mqtt'] },
  bridge: {
    ours: [EVERYWHERE, /^bus\//, /^event-log\/(reader|commit-channel)$/],
    packages: ['@sinclair/typebox', 'mqtt'],
  },
  services: { ours: [EVERYWHERE, /^bus\//], packages: ['@sinclair/typebox', 'yaml'] },
  'services/transport': { ours: [], packages: ['serialport', 'i2c-bus'] },
  projections: {
    ours: [EVERYWHERE, /^event-log\/reader$/],
    packages: ['@sinclair/typebox', 'better-sqlite3', 'kysely'],
  },
  'projections/run-files': { ours: [], packages: ['vega', 'vega-lite', '@resvg/resvg-js', 'dejavu-fonts-ttf'] },
  simulation: {
    ours: [
      EVERYWHERE,
      /\.codec$/,
      /^doors\/socket-path$/,
      /^services\/potentiostat\/device\/registers$/,
      /^services\/transport\/hardware$/,
    ],
    packages: ['@sinclair/typebox', 'serialport'],
  },
  'http-gateway': {
    ours: [EVERYWHERE, /^bus\//, /^doors\//, /^event-log\/reader$/, /^projections\/read-models$/],
    packages: ['@sinclair/typebox', 'express', 'archiver'],
  },
}

/** Breaches that are meant, each with its reason: importer, imported. */
const EXCEPTIONS: readonly (readonly [from: RegExp, to: RegExp, reason: string])[] = [
  [
    /^broker\/session-(database|store)$/,
    /^better-sqlite3$/,
    'sessions are cursors into the log, kept in a file of their own',
  ],
  [
    /^services\/bioreactor\/calibrations\/active-pointers$/,
    /^better-sqlite3$/,
    'which calibrations are in use stands in the key-value file of a Pioreactor, which archives exchange',
  ],
  [/^projections\//, /^event-log\/commit-channel$/, 'wakes the projector after a commit instead of polling the log'],
  [/^projections\//, /^event-log\/file-identity$/, 'a file that is open is watched in one way'],
  [
    /^services\/unit-admin\/archive\/export-entries$/,
    /^better-sqlite3$/,
    'an archive has copies of databases that no change was under way in',
  ],
  [
    /^simulation\//,
    /^services\/(bioreactor\/board\/(board|hardware-profile|hardware-tables)|transport\/(sysfs-pwm|hat-identity))$/,
    'the virtual board has the wiring, profile, PWM files and device tree of the board it stands for',
  ],
  [
    /^simulation\/[a-z-]+-process$/,
    /^(clock|instruments|logger|priority)$/,
    'the entry point of a process composes it',
  ],
]

/** Rooms of `services/`, and the rooms none of their files may import. */
const CLOSED_ROOMS: readonly (readonly [room: string, closed: RegExp])[] = [
  ['services/transport/', /^services\/(?!transport\/)/],
  ['services/jobs/', /^services\/(bioreactor|potentiostat|nas-upload)\//],
  ['services/runtime/', /^services\/(bioreactor|potentiostat|nas-upload|jobs|unit-admin)\//],
  ['services/aftermath/', /^services\/(bioreactor|potentiostat|nas-upload|jobs)\//],
  ['services/bioreactor/', /^services\/(potentiostat|nas-upload)\//],
  ['services/potentiostat/', /^services\/(bioreactor|jobs|nas-upload)\//],
  ['services/potentiostat/device/', /^services\/potentiostat\/(modes|acquisition|evaluation|runs)\//],
  ['services/potentiostat/modes/', /^services\/potentiostat\/runs\//],
  ['services/potentiostat/acquisition/', /^services\/potentiostat\/(modes|runs)\//],
  ['services/potentiostat/evaluation/', /^services\/potentiostat\/(modes|runs)\//],
  ['services/nas-upload/', /^services\/(bioreactor|potentiostat|jobs)\//],
]

const roots = Object.keys(RULES).filter((folder) => !folder.includes('/'))

function sourcesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).replace(/\.ts$/, ''))
}

interface Import {
  readonly from: string
  /** Path of ours without extension, package name, or `node:…`. */
  readonly to: string
  readonly ours: boolean
  /** Erased by the compiler. */
  readonly typeOnly: boolean
}

const IMPORT = /^(import|export)( type)?\b[^'"]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gms

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(`${file}.ts`, 'utf8')
  return [...text.matchAll(IMPORT)].map(([, , type, from, bare, dynamic]) => {
    const target = from ?? bare ?? dynamic ?? ''
    const ours = target.startsWith('.')
    const to = ours
      ? normalize(join(dirname(file), target)).replace(/\.js$/, '')
      : target.startsWith('@')
        ? target.split('/').slice(0, 2).join('/')
        : (target.split('/')[0] ?? '')
    return { from: file, to, ours, typeOnly: type !== undefined }
  })
}

const sources = roots.flatMap(sourcesBelow)
const imports = sources.flatMap(importsOf)

const rootOf = (file: string): string => file.split('/')[0] ?? ''

/** A file may use what the rules of all the folders around it name, and its own top folder. */
function isAllowed({ from, to, ours }: Import): boolean {
  if (ours && rootOf(from) === rootOf(to)) return true
  if (to.startsWith('node:')) return rootOf(from) !== 'events'
  const rules = Object.entries(RULES).flatMap(([folder, rule]) => (from.startsWith(`${folder}/`) ? [rule] : []))
  return rules.some((rule) => (ours ? rule.ours.some((pattern) => pattern.test(to)) : rule.packages.includes(to)))
}

const excuses = ({ from, to }: Import): readonly number[] =>
  EXCEPTIONS.flatMap(([importer, imported], index) => (importer.test(from) && imported.test(to) ? [index] : []))

describe('imports', () => {
  test('were found at all', () => {
    expect(sources.length).toBeGreaterThan(50)
    expect(imports.length).toBeGreaterThan(sources.length)
  })

  test('stay within what each folder may use', () => {
    const breaches = imports.filter((entry) => !isAllowed(entry) && excuses(entry).length === 0)
    expect(breaches.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  test('need every exception that is listed', () => {
    const used = new Set(imports.filter((entry) => !isAllowed(entry)).flatMap(excuses))
    expect(EXCEPTIONS.filter((_, index) => !used.has(index)).map(([, , reason]) => reason)).toEqual([])
  })

  test.each(CLOSED_ROOMS)('of %s do not reach rooms that are closed to it', (room, closed) => {
    const own = imports.filter(({ from }) => from.startsWith(room))
    expect(own.length).toBeGreaterThan(0)
    expect(own.filter(({ to }) => closed.test(to)).map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  test('make no cycle once compiled', () => {
    const edges = new Map<string, readonly string[]>(
      sources.map((file) => [
        file,
        imports.filter(({ from, ours, typeOnly }) => from === file && ours && !typeOnly).map(({ to }) => to),
      ]),
    )
    expect(findCycle(edges)).toBeNull()
  })

  test('of codecs and control laws reach neither input and output nor the clock', () => {
    const pure = imports.filter(({ from }) => from.endsWith('.codec') || from.includes('/control/'))
    const impure = pure.filter(
      ({ to }) => to.startsWith('node:') || to === 'clock' || /\/transport\/(?!.*\.codec$)/.test(to),
    )
    expect(pure.length).toBeGreaterThan(0)
    expect(impure.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })
})

/** Endpoints that are asked with a body and change nothing, so that nobody is ordered to do anything: file, reason. */
const ASKED_WITH_A_BODY: Readonly<Record<string, string>> = {
  'http-gateway/endpoints/box/modes': 'parameters are checked against what the service declared of them',
}

describe('the gateway', () => {
  const files = sources.filter((file) => file.startsWith('http-gateway/'))
  const textOf = (file: string): string => readFileSync(`${file}.ts`, 'utf8')
  const containing = (pattern: RegExp): readonly string[] => files.filter((file) => pattern.test(textOf(file)))

  test('speaks no SQL: what it knows it asks of the queries of the projections', () => {
    expect(containing(/\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA)\b|\.prepare\(/)).toEqual(
      [],
    )
  })

  test('starts no program and opens no device', () => {
    expect(containing(/from 'node:(child_process|worker_threads|dgram|cluster|vm)'|['"`]\/(dev|sys)\//)).toEqual([])
  })

  test('writes no file but the spool, through which secrets and uploads reach the services', () => {
    const writes =
      /\b(writeFile|appendFile|rename|rm|unlink|rmdir|mkdir|truncate|createWriteStream|symlink|copyFile|chmod)(Sync)?\(/
    expect(containing(writes)).toEqual(['http-gateway/spool'])
  })

  test('carries out nothing itself: what changes the unit is ordered of the services', () => {
    const changing = containing(/^ {2}method: (?!'get')/m).filter((file) => file.includes('/endpoints/'))
    const orders = (file: string): boolean =>
      imports.some(
        ({ from, to }) => from === file && /^http-gateway\/(commands|endpoints\/unit\/task-endpoint)$/.test(to),
      )
    expect(changing.length).toBeGreaterThan(5)
    expect(changing.filter((file) => !orders(file))).toEqual(Object.keys(ASKED_WITH_A_BODY))
  })
})

function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return null
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file])
      if (cycle !== null) return cycle
    }
    done.add(file)
    return null
  }
  for (const file of edges.keys()) {
    const cycle = visit(file, [])
    if (cycle !== null) return cycle
  }
  return null
}

test('a cycle is found where there is one', () => {
  expect(
    findCycle(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
  ).toEqual(['b', 'c', 'b'])
  expect(
    findCycle(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
        ['c', []],
      ]),
    ),
  ).toBeNull()
})

describe('source', () => {
  test.each([
    ['the clock', /\bDate\.now\(|\bnew Date\(\)/],
    ['chance', /\bMath\.random\(/],
    ['the console', /\bconsole\./],
    ['the end of the process', /\bprocess\.exit\(/],
  ])('takes %s only from what it is given', (_name, pattern) => {
    const found = sources.filter((file) => pattern.test(readFileSync(`${file}.ts`, 'utf8')))
    expect(found).toEqual([])
  })
})

test('no job asks another machine: what it does not know by itself reaches it over the bus', () => {
  const asking = sources.filter((file) => /^services\/bioreactor\//.test(file))
  expect(asking.length).toBeGreaterThan(80)
  const found = asking.filter((file) => /\bfetch\(|node:(https?|net|dns)\b/.test(readFileSync(`${file}.ts`, 'utf8')))
  // Whether the unit's own web server answers.
  expect(found).toEqual(['services/bioreactor/monitor/web-server'])
})

const MOST_LINES = 300
const REASON = /^\/\/ Longer than 300 lines: \S.+\.\n/

test(`a file of more than ${MOST_LINES} lines says at its top why it is not two`, () => {
  const files = [...roots, 'cli', 'test', 'benchmarks'].flatMap(sourcesBelow)
  const top = readdirSync('.').flatMap((name) => (name.endsWith('.ts') ? [name.replace(/\.ts$/, '')] : []))
  const texts = [...files, ...top].map((file) => [file, readFileSync(`${file}.ts`, 'utf8')] as const)
  expect(texts.length).toBeGreaterThan(600)
  const isLong = (text: string): boolean => text.split('\n').length - 1 > MOST_LINES
  const wrong = texts.filter(([, text]) => isLong(text) !== REASON.test(text))
  expect(wrong.map(([file]) => file)).toEqual([])
})
