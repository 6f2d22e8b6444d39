import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { samplesEvent } from '../../events/potentiostat/samples.js'
import { outcomeEvent } from '../../events/system/outcomes.js'
import {
  commandTopic,
  isCommandTopic,
  isTopicFilter,
  jobTopic,
  matchesFilter,
  parseTopic,
  topicLevel,
} from '../../events/topic.js'

describe('topics', () => {
  const level = fc.stringMatching(/^[A-Za-z0-9 _.-]{1,12}$/)

  it('are parsed back into what they were built from', () => {
    fc.assert(
      fc.property(level, level, level, level, (unit, experiment, job, setting) => {
        fc.pre(setting !== 'set')
        const topic = jobTopic(unit, experiment, job, setting)
        expect(parseTopic(topic)).toEqual({ family: 'job', unit, experiment, job, setting })
        expect(parseTopic(`${topic}/set`)).toEqual({ family: 'job_set', unit, experiment, job, setting })
        expect(parseTopic(`${topic}/set/outcome`)).toEqual({
          family: 'job_set_outcome',
          unit,
          experiment,
          job,
          setting,
        })
      }),
    )
  })

  it('of any text belong to exactly one family', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseTopic(text).family).toBeTypeOf('string')
      }),
    )
  })

  test.each([
    ['pioreactor/u1/growth 7/stirring/target_rpm/set', true],
    ['pioreactor/$broadcast/growth 7/stirring/$state/set', true],
    ['system/u1/commands/run_job', true],
    ['pioreactor/u1/growth 7/stirring/target_rpm', false],
    ['pioreactor/u1/growth 7/stirring/target_rpm/set/outcome', false],
    ['system/u1/outcomes/1234', false],
    ['system/u1/request/run_job', false],
    ['home/kitchen/lamp/set', false],
  ])('%s is a command: %s', (topic, expected) => expect(isCommandTopic(topic)).toBe(expected))

  it('keeps commands apart from other system topics', () => {
    expect(parseTopic(commandTopic('u1', 'stop_jobs'))).toEqual({ family: 'command', unit: 'u1', command: 'stop_jobs' })
    expect(parseTopic(outcomeEvent.topic({ unit: 'u1', id: 'abc' }))).toEqual({
      family: 'system',
      unit: 'u1',
      rest: ['outcomes', 'abc'],
    })
    expect(parseTopic(samplesEvent.topic({ box: 'b1', run_id: 'r-1', slot: 'slot01' }))).toEqual({
      family: 'potentiostat',
      box: 'b1',
      runId: 'r-1',
      rest: ['slot01', 'samples'],
    })
  })

  test.each(['a/b', 'a+', '#', '', 'nul\0'])('refuses the experiment name %j', (experiment) =>
    expect(() => jobTopic('u1', experiment, 'stirring', 'target_rpm')).toThrow(/experiment/),
  )
})

describe('topic filters', () => {
  test.each([
    ['a/+/c', 'a/b/c', true],
    ['a/+/c', 'a/b/c/d', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['a/+', 'a/', true],
    ['+/+', '/finance', true],
    ['+', '/finance', false],
    ['a/b', 'a/b/', false],
  ])('%s matches %s: %s', (filter, topic, expected) => expect(matchesFilter(filter, topic)).toBe(expected))

  it('match their own topic, and every topic below with #', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,6}$/)
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), fc.nat(5), (levels, cut) => {
        const topic = levels.join('/')
        expect(matchesFilter(topic, topic)).toBe(true)
        expect(matchesFilter([...levels.slice(0, cut), '#'].join('/'), topic)).toBe(true)
        expect(matchesFilter(levels.map((text, i) => (i === cut ? '+' : text)).join('/'), topic)).toBe(true)
      }),
    )
  })
})

test.each(['a', 'ä b', '🧫', '$x', '.', '\ufeff', '\ufffd'])("'%s' can be a topic level", (name) => {
  expect(topicLevel('experiment', name)).toBe(name)
})

test.each(['', 'a/b', '+', '#', 'a\0', 'a\n', '\u007f', '\u0085', '\ufffe', '\ud800', 'x'.repeat(256)])(
  '%j cannot: a broker would close the connection of its publisher',
  (name) => {
    expect(() => topicLevel('experiment', name)).toThrow(/^experiment/)
  },
)

test.each(['a', '/', '+', '#', 'a/+/b', '+/+', 'a/#', '/+/#', ' ', 'a//#'])("'%s' can be subscribed to", (filter) => {
  expect(isTopicFilter(filter)).toBe(true)
})

test.each(['', 'a+', '+a', 'a/b+/c', '#/a', 'a/#/b', 'a#', '#a', '##', '+#', 'a/+#'])("'%s' cannot", (filter) => {
  expect(isTopicFilter(filter)).toBe(false)
})
