import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect } from 'vitest'
import { expectAsDeclared } from '../../http-gateway/support/as-declared.js'
import type { Lab } from '../start-lab.js'
import { type ApiDocument, type FuzzedRequest, fuzzedRequests } from './requests.js'
import { type FuzzAnswer, sendFuzzed } from './send.js'

/** What a client beside the fuzzer saw. */
export interface HonestReport {
  readonly requests: number
  readonly failures: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface FuzzPlan {
  readonly seed: number
  readonly requests: number
  /** How many are sent at a time. */
  readonly lanes: number
}

/** Sends requests made from the document that the unit serves, and judges every answer.
 * @throws Error with the smallest request that gets a bad answer, and the seed. */
export async function fuzzUnit(lab: Lab, { seed, requests, lanes }: FuzzPlan): Promise<HonestReport> {
  const document = await lab.get<ApiDocument>('/openapi.json')
  const runs = await lab.get<readonly { readonly run_id: string }[]>('/jobs')
  const arbitrary = fuzzedRequests(
    document,
    runs.map((run) => run.run_id),
  )
  const port = Number(new URL(lab.url).port)
  const honest = await startHonestClient(lab.url)
  const lane = (index: number): Promise<void> =>
    fc.assert(
      fc.asyncProperty(arbitrary, async (request) => judge(request, await sendFuzzed(port, request))),
      { seed: seed + index, numRuns: Math.ceil(requests / lanes), endOnFailure: true },
    )
  try {
    await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)))
    return await honest.report()
  } finally {
    honest.end()
  }
}

/** What an answer of success changes at once, and nothing else changes. */
const STATE = [
  ...['config/specific', 'calibrations', 'estimators', 'active_calibrations', 'active_estimators'],
  ...[
    'bioreactor/experiments/growth',
    'bioreactor/experiments/%24experiment',
    'jobs/settings/job_name/stirring/setting/target_rpm',
  ],
]

const stateOf = (lab: Lab): Promise<readonly string[]> =>
  Promise.all(STATE.map(async (path) => (await fetch(`${lab.url}/unit_api/${path}`)).text()))

/** Sends such requests one after the other to what changes the unit at once: after one that is refused everything is as before.
 * @returns how many were refused and how many changed something. */
export async function fuzzChanges(lab: Lab, { seed, requests }: Omit<FuzzPlan, 'lanes'>) {
  const { paths } = await lab.get<ApiDocument>('/openapi.json')
  const changing = Object.entries(paths).flatMap(([path, methods]) => {
    const found = Object.entries(methods).filter(
      ([method, { responses = {} }]) => method !== 'get' && !('202' in responses) && path.startsWith('/unit_api/'),
    )
    return found.length === 0 ? [] : [[path, Object.fromEntries(found)] as const]
  })
  const arbitrary = fuzzedRequests({ paths: Object.fromEntries(changing) }, [])
  const port = Number(new URL(lab.url).port)
  const counts = { refused: 0, changed: 0 }
  let before = await stateOf(lab)
  const send = async (request: FuzzedRequest): Promise<void> => {
    const answer = await sendFuzzed(port, request)
    judge(request, answer)
    const after = await stateOf(lab)
    if (answer.status !== null && answer.status >= 400) {
      expect([answer.status, ...after]).toEqual([answer.status, ...before])
      counts.refused++
    } else if (after.join() !== before.join()) counts.changed++
    before = after
  }
  await fc.assert(fc.asyncProperty(arbitrary, send), { seed, numRuns: requests, endOnFailure: true })
  return counts
}

async function startHonestClient(url: string) {
  const child = fork(fileURLToPath(new URL('./honest-client.js', import.meta.url)), [url])
  await once(child, 'message')
  return {
    async report() {
      child.send('end')
      const [report] = await once(child, 'message')
      return report as HonestReport
    },
    end: () => void child.disconnect(),
  }
}

/** Answered by the HTTP parser, before there is a request. */
const OF_PARSER = [400, 408, 417, 431]
/** Not served here; not now. */
const NOT_NOW = [501, 503]
const STACK = /\n\s+at |node_modules|node:internal|\/dist\/|\.[tj]s:\d+/

function judge(request: FuzzedRequest, { status, headers, body }: FuzzAnswer): void {
  if (status === null) {
    // Only who leaves early, sends too much or speaks no HTTP gets no answer.
    expect(request.length !== null || request.headers.length > 0 || request.body.length > 60_000).toBe(true)
    return
  }
  expect(body).not.toMatch(STACK)
  expect(headers).not.toMatch(/^x-injected/im)
  if (status >= 500) expect(NOT_NOW).toContain(status)
  if (OF_PARSER.includes(status) && body === '') return
  if (status < 200 || !/content-type: application\/json/i.test(headers) || request.method === 'HEAD') return
  expectAsDeclared(request.method, pathOf(request.target), status, JSON.parse(body))
}

const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/]*/, '').split(/[?#]/)[0] ?? ''
