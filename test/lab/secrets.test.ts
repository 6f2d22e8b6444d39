import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readZip } from '../http-gateway/support/read-zip.js'
import { findBench, findGuardian, findProcesses } from '../support/processes.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

const home = createLabHome()
let unit: Lab
beforeAll(async () => {
  unit = await home.start(SECRETS)
})
afterAll(() => home.remove())

const SECRETS = {
  BOX_API_KEY: 'secret-of-the-box',
  UNIT_API_PASSWORD: 'secret-of-the-unit',
  MQTT_USERNAME: 'flow',
  MQTT_PASSWORD: 'secret-of-mqtt',
  MQTT_LEADER_PASSWORD: 'secret-of-the-leader',
  MQTT_URL: 'mqtt://bench:secret-of-the-peer@127.0.0.1:1',
  MQTT_WORKER_PASSWORD: 'secret-of-the-workers',
  CLOUD_TOKEN: 'secret-of-somebody-else',
}
const SECRET = /secret-of-[a-z-]+/g
const KEYS = {
  authorization: `Basic ${Buffer.from(`:${SECRETS.UNIT_API_PASSWORD}`).toString('base64')}`,
  'x-api-key': SECRETS.BOX_API_KEY,
}

/** Files and directories below the unit's own that others than its user may read or change. */
const readableByOthers = (): readonly string[] =>
  readdirSync(home.home, { recursive: true, encoding: 'utf8' }).filter((path) => {
    // What is about to replace a file may be gone by now.
    const entry = lstatSync(join(home.home, path), { throwIfNoEntry: false })
    return entry !== undefined && !entry.isSymbolicLink() && (entry.mode & 0o077) !== 0
  })

it('no process but main is told a secret, and nobody else may read what they write', async () => {
  await until(() => findGuardian(home.home) !== undefined, 'the guardian')
  const told = (environment: Readonly<Record<string, string>>): readonly string[] =>
    Object.keys(SECRETS).filter((name) => name in environment)
  const [main] = findProcesses(({ pid }) => pid === unit.main.pid)
  expect(told(main?.environment ?? {})).toEqual(Object.keys(SECRETS))
  const children = [
    ...findProcesses(({ pid }) => pid === unit.servicesPid()),
    findGuardian(home.home),
    findBench(home.home),
  ]
  expect(children.map((child) => child && told(child.environment))).toEqual([[], [], []])

  const directory = lstatSync(home.home)
  expect((directory.mode & 0o777).toString(8)).toBe('700')
  expect(readableByOthers()).toEqual([])
})

async function send(path: string, body: unknown, keys: Readonly<Record<string, string>> = KEYS) {
  const headers = { 'content-type': 'application/json', ...keys }
  const response = await fetch(unit.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, text: await response.text() }
}

/** Whatever can be got without naming anything, archives unpacked. */
async function everyAnswer(): Promise<readonly (readonly [path: string, text: string])[]> {
  const { paths } = await unit.get<{ paths: Readonly<Record<string, object>> }>('/openapi.json')
  const plain = Object.entries(paths).flatMap(([path, methods]) =>
    'get' in methods && !path.includes('{') ? [path] : [],
  )
  const answers = plain.map(async (path) => {
    const response = await fetch(unit.url + path, { headers: KEYS })
    const bytes = Buffer.from(await response.arrayBuffer())
    const isZip = response.headers.get('content-type')?.includes('zip') === true && response.ok
    return [
      path,
      isZip
        ? readZip(bytes)
            .map(({ content }) => content.toString('latin1'))
            .join()
        : bytes.toString(),
    ] as const
  })
  return Promise.all(answers)
}

/** What people write into the configuration, the configuration gives back. */
const GIVES_THE_CONFIGURATION = [
  '/unit_api/config/merged',
  '/unit_api/config/specific',
  '/unit_api/zipped_dot_pioreactor',
]
const KEEPS_SECRETS = ['.pioreactor/unit_config.ini', 'run/config-secrets.json', 'nas_smb.json', '.smbcredentials_nas']

// Only a whole unit has every event, read model, archive, line of its log and file that a secret could have got into.
it('no event, file, line of the log, archive or answer has a secret', { timeout: 120_000 }, async () => {
  const config =
    '[mqtt]\npassword=secret-of-the-config\n[ui_basic_auth]\napi_key=secret-of-the-config\n[lab]\nbench=by-the-window\n'
  const guess = { authorization: 'Basic OnNlY3JldC1vZi1hLWd1ZXNz', 'x-api-key': 'secret-of-a-guess' }
  const answers = [
    await send('/unit_api/config/specific', { code: config }),
    await send('/unit_api/config/specific', { code: '[mqtt\npassword=secret-of-a-mistake\n' }),
    await send('/unit_api/config/specific', { code: config, password: 'secret-of-a-mistake' }),
    await send('/nas/setup', { host: '127.0.0.1:1', share: 's', username: 'u', password: 'secret-of-the-share' }),
    await send('/nas/setup', { host: 7, share: 's', username: 'u', password: 'secret-of-the-share' }),
    await send('/unit_api/jobs/stop/all', {}, guess),
    await send('/jobs', {}, guess),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 200, 422, 401, 401])
  const intruder = connectAsync(`mqtt://127.0.0.1:${unit.mqttPort}`, {
    ...{ username: 'leader', password: 'secret-of-a-guess', reconnectPeriod: 0 },
  })
  await expect(intruder).rejects.toThrow()

  const found = (place: string, text: string) => (text.match(SECRET) ?? []).map((secret) => `${place}: ${secret}`)
  const got = (await everyAnswer()).map(([path, text]) =>
    GIVES_THE_CONFIGURATION.includes(path)
      ? ([path, text.replaceAll('secret-of-the-config', '')] as const)
      : ([path, text] as const),
  )
  expect(got.length).toBeGreaterThan(20)
  expect(
    [...got, ...answers.map(({ text }) => ['refused', text] as const)].flatMap(([path, text]) => found(path, text)),
  ).toEqual([])

  expect(await unit.interrupt()).toBe(0)
  expect(found('output', unit.output())).toEqual([])
  const files = readdirSync(home.home, { recursive: true, encoding: 'utf8' }).filter((path) =>
    lstatSync(join(home.home, path)).isFile(),
  )
  const textOf = (path: string): string => readFileSync(join(home.home, path), 'latin1')
  expect(readableByOthers()).toEqual([])
  // The search finds what is there.
  expect(textOf('event-log.db')).toContain('by-the-window')
  expect(files.filter((path) => !KEEPS_SECRETS.includes(path)).flatMap((path) => found(path, textOf(path)))).toEqual([])
})
