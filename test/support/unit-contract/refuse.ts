import { expect } from 'vitest'
import { expectAsDeclared } from '../../http-gateway/support/as-declared.js'
import { rawRequest } from '../raw-request.js'
import type { Lab } from '../start-lab.js'
import { NOT_BUILT } from './contract.js'
import type { Refusal } from './refusals.js'

/** Sends what must be refused; the answer is the error that the specification tells. */
export async function refuse(lab: Lab, refusal: Refusal): Promise<void> {
  const [method = '', pattern = ''] = refusal.id.split(' ')
  const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => refusal.path?.[name] ?? 'x')
  const { body = '' } = refusal
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = text === '' ? {} : { 'content-length': String(Buffer.byteLength(text)) }
  const answer = await rawRequest(lab.url, path, headers, method, text)
  const json = JSON.parse(answer.text) as Readonly<Record<string, unknown>>
  expectAsDeclared(method, path, answer.status, json)
  if (NOT_BUILT.includes(refusal.id)) {
    expect(answer.status).toBe(404)
    return
  }
  const { status, error, cause, remediation } = refusal
  expect([answer.status, json]).toEqual([status, json])
  expect(answer.headers.get('cache-control')).toBeNull()
  expect(json).toMatchObject({ status, error: asTold(error), ...(cause === undefined ? {} : { cause: asTold(cause) }) })
  if (typeof remediation === 'string') expect(json['remediation']).toBe(remediation)
  if (typeof remediation === 'boolean')
    expect([typeof json['remediation'], json]).toEqual([remediation ? 'string' : 'undefined', json])
}

const asTold = (text: string | RegExp): unknown => (typeof text === 'string' ? text : expect.stringMatching(text))
