import { describe, expect, test } from 'vitest'
import { hostName, isForeignPage, isForUs, isHost, ownHosts } from '../../doors/hosts.js'

const names = {
  unit: 'Unit_1',
  machine: 'bench.lab.example',
  listens: '0.0.0.0',
  allowed: ['proxy.example', 'fd00::9'],
}
const isOwn = ownHosts(names, () => ['127.0.0.1', '10.0.0.5', 'fe80::1', 'fd00::5'])
const request = (url: string, ...host: readonly string[]) => ({
  url,
  headersDistinct: host.length === 0 ? {} : { host: [...host] },
})

describe('hosts of a unit', () => {
  test.each([
    'localhost',
    'LocalHost:8000',
    'localhost.',
    '127.0.0.1:1',
    '127.1.2.3',
    '[::1]:8000',
    '[0:0:0:0:0:0:0:1]',
    'unit_1',
    'UNIT_1.local.:80',
    'bench',
    'bench.local',
    'bench.lab.example',
    '10.0.0.5:8000',
    '[fd00::5]:8000',
    'proxy.example:443',
    '[fd00::9]',
  ])('%s is one', (host) => expect(isForUs(request('/', host), isOwn)).toBe(true))

  test.each([
    'evil.example',
    'evil.example:8000',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    '10.0.0.6',
    '[::2]',
    '0.0.0.0.evil.example',
    'evil.example/localhost',
    'evil.example#localhost',
    'user@localhost',
    'a, localhost',
    'localhost:port',
    '[::1',
    '',
    '.',
  ])('%j is none', (host) => expect(isForUs(request('/', host), isOwn)).toBe(false))

  test('count wherever a request names one, and only one is named in the header', () => {
    expect(isForUs(request('http://localhost:8000/x', 'localhost'), isOwn)).toBe(true)
    expect(isForUs(request('http://evil.example/x', 'localhost'), isOwn)).toBe(false)
    expect(isForUs(request('http://localhost/x', 'evil.example'), isOwn)).toBe(false)
    expect(isForUs(request('/', 'localhost', 'localhost'), isOwn)).toBe(false)
    expect(isForUs(request('//evil.example/x', 'localhost'), isOwn)).toBe(true)
  })

  test('need not be named by a program of HTTP/1.0', () => expect(isForUs(request('/'), isOwn)).toBe(true))

  test('are spelt in one way', () => {
    expect(['EVIL.Example.', '[0::1]:8', '127.1', 'a b', 'x/y'].map(hostName)).toEqual([
      'evil.example',
      '[::1]',
      '127.0.0.1',
      null,
      null,
    ])
  })

  test.each([
    ['bench.lab', true],
    ['10.0.0.1', true],
    ['fd00::1', true],
    ['[fd00::1]', true],
    ['bench:8000', false],
    ['http://bench', false],
    ['', false],
  ])('as a setting, %j: %s', (text, expected) => expect(isHost(text)).toBe(expected))
})

describe('a foreign page', () => {
  const from = (headers: Record<string, string>, encrypted = false) =>
    isForeignPage({ host: 'localhost:8000', ...headers }, encrypted)

  test.each([
    [{ origin: 'http://localhost:3000' }],
    [{ origin: 'http://127.0.0.1:8000' }],
    [{ origin: 'http://localhost' }],
    [{ origin: 'null' }],
    [{ origin: 'file://' }],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://localhost:8000' }],
    [{ 'sec-fetch-site': 'cross-site' }],
  ])('shows by %o', (headers) => expect(from(headers)).toBe(true))

  test.each([
    [{}],
    [{ origin: 'http://localhost:8000' }],
    [{ origin: 'https://localhost:8000' }],
    [{ 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
  ])('is not %o', (headers) => expect(from(headers)).toBe(false))

  test('is one of another scheme where the unit itself speaks TLS', () => {
    expect(from({ origin: 'http://localhost:8000' }, true)).toBe(true)
    expect(from({ origin: 'https://localhost:8000' }, true)).toBe(false)
    expect(from({ host: 'bench.example', origin: 'https://bench.example:443' }, true)).toBe(false)
  })
})
