import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { REDACTED } from '../../../../events/config/config.js'
import { redactText } from '../../../../services/unit-admin/config/redaction.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { ConfigLab } from './config-lab.js'

let lab: ConfigLab
beforeEach(() => {
  lab = new ConfigLab(temporaryDirectory())
})
afterEach(() => lab.stop())

test.each([
  ['password = a=b', `password = ${REDACTED}`],
  ['password=', 'password='],
  ['# api_key: x', `# api_key: ${REDACTED}`],
  ['token = x\n  y\n\n  z\nnext = 1', `token = ${REDACTED}\n\nnext = 1`],
  ['passphrase\n  x', 'passphrase'],
  ['broker = mqtt://user:pw@host:1', `broker = mqtt://${REDACTED}@host:1`],
  ['Kp = 1\r\npassword = x\r\n', `Kp = 1\r\npassword = ${REDACTED}\n`],
  ['monkey = 1', 'monkey = 1'],
])('%j is told as %j', (text, expected) => {
  expect(redactText(text)).toBe(expected)
})

test('no secret gets into an event, however it is written; the private file has it', async () => {
  const secret = 's3cr3tVALUE'
  const name = fc.constantFrom('password', 'mqtt_password', 'api_key', 'passphrase', 'Token', 'key', 'client_secret')
  const line = fc.oneof(
    fc.tuple(name, fc.constantFrom('=', ' = ', ':', ' : ')).map(([option, sign]) => `${option}${sign}${secret}`),
    name.map((option) => `${option} =\n   ${secret}`),
    name.map((option) => `${option}\n   ${secret}`),
    name.map((option) => `note = text\n   ${option} = ${secret}`),
    name.map((option) => `# ${option} = ${secret}`),
    name.map((option) => `  ;${option}: ${secret}`),
    name.map((option) => `${option} = ${secret}\nother = x %(${option})s`),
    fc.constant(`url = mqtts://me:${secret}@host`),
    fc.constant('plain = 1'),
  )
  await lab.start()
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), fc.boolean(), async (lines, byHand) => {
      const text = lines.map((entry, n) => `[s${n}]\n${entry}`).join('\n')
      if (byHand) {
        lab.edit('config.ini', text)
        await lab.write(`[s0]\nnumber=${lab.broker.published.length}`)
      } else await lab.write(text)
      expect(lab.said()).not.toContain(secret)
    }),
    { numRuns: 60 },
  )
  await lab.write(`[ui_basic_auth]\napi_key = ${secret}\n`)
  expect(lab.said()).not.toContain(secret)
  expect(lab.merged().sections['ui_basic_auth']).toEqual({ api_key: REDACTED })
  expect(JSON.parse(readFileSync(lab.secretsPath, 'utf8'))).toMatchObject({
    sections: { ui_basic_auth: { api_key: secret } },
  })
})
