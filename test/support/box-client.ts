import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { RunStatusBody } from '../../http-gateway/endpoints/box/run-status.js'
import { expectAsDeclared } from '../http-gateway/support/as-declared.js'
import { until } from './until.js'

export interface BoxAnswer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly text: string
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown
}

export interface BoxClient {
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<BoxAnswer>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<BoxAnswer>
  post(path: string, body?: unknown): Promise<BoxAnswer>
  /** Orders a run. @returns its id. */
  order(order: object): Promise<string>
  status(runId: string): Promise<RunStatusBody>
  /** Resolves with the first status that is final, and reports every one on the way. */
  ended(runId: string, timeoutMs?: number, onStatus?: (status: RunStatusBody) => void): Promise<RunStatusBody>
}

/** Often enough to see every state, seldom enough not to disturb a measurement. */
const POLL_MS = 25

/** A client of the box API at `url`, with a key when one is given. Every answer is held against the documentation. */
export function boxClient(url: string, key?: string): BoxClient {
  const call: BoxClient['call'] = async (method, path, body, headers = {}) => {
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }), ...headers },
      ...content,
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const answer = { status: response.status, headers: response.headers, bytes, ...parsed(bytes.toString()) }
    expectAsDeclared(method, path, answer.status, answer.json)
    return answer
  }
  const status: BoxClient['status'] = async (runId) => (await call('GET', `/jobs/${runId}`)).json as RunStatusBody
  return {
    call,
    status,
    get: (path, headers) => call('GET', path, undefined, headers),
    post: (path, body) => call('POST', path, body),
    async order(order) {
      const answer = await call('POST', '/jobs', order)
      expect(answer, answer.text).toMatchObject({ status: 200, json: { run_id: expect.any(String) } })
      return (answer.json as RunStatusBody).run_id
    },
    async ended(runId, timeoutMs = 40_000, onStatus = () => undefined) {
      let last = await status(runId)
      const isOver = async (): Promise<boolean> => {
        await delay(POLL_MS)
        last = await status(runId)
        onStatus(last)
        return last.status !== 'running'
      }
      await until(isOver, () => `the run to end; it is ${JSON.stringify(last)}`, timeoutMs)
      return last
    },
  }
}

function parsed(text: string): { readonly text: string; readonly json: unknown } {
  try {
    return { text, json: JSON.parse(text) }
  } catch {
    return { text, json: undefined }
  }
}
