import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { until } from '../../../support/until.js'
import { DescriptorLab } from './descriptor-lab.js'

let lab: DescriptorLab
beforeEach(() => {
  lab = new DescriptorLab(temporaryDirectory())
})
afterEach(() => lab.stop())

const JOB = 'display_name: Bubbling\njob_name: bubbling\ndisplay: true\npublished_settings:\n'

describe('files', () => {
  test('add to it and replace it in place, those of plugins last; what they leave out has its default', async () => {
    lab.write('ui/jobs/20_b.yaml', `${JOB}  []\n`)
    lab.write('ui/jobs/10_a.yml', 'display_name: First\njob_name: first\ndisplay: false\npublished_settings: []\n')
    lab.write(
      'plugins/ui/jobs/a.yaml',
      'display_name: Mine\njob_name: stirring\ndisplay: true\npublished_settings: []\n',
    )
    lab.write('plugins/ui/automations/led/x.yaml', 'display_name: X\nautomation_name: x\ndescription: y\n')
    lab.write('plugins/ui/jobs/notes.txt', 'no descriptor')
    await lab.start()
    expect(lab.jobs()[0]).toEqual({
      display_name: 'Mine',
      job_name: 'stirring',
      display: true,
      published_settings: [],
      source: null,
      description: null,
      subtext: null,
      is_testing: false,
    })
    expect(
      lab
        .jobs()
        .slice(-2)
        .map(({ job_name }) => job_name),
    ).toEqual(['first', 'bubbling'])
    expect(lab.forms('led').at(-1)).toEqual({
      display_name: 'X',
      automation_name: 'x',
      description: 'y',
      source: null,
      fields: [],
    })
    expect(lab.logger.lines.some((line) => JSON.stringify(line).includes('replaces the descriptor stirring'))).toBe(
      true,
    )
  })

  test('are noticed when they come and go; what is told already is not told again', async () => {
    await lab.start()
    const told = lab.broker.published.length
    await lab.clock.advance(10_000)
    lab.write('ui/jobs/b.yaml', `${JOB}  []\n`)
    await lab.clock.advance(5000)
    await until(() => lab.jobs().some(({ job_name }) => job_name === 'bubbling'), 'the new card')
    expect(lab.broker.published).toHaveLength(told + 1)
    lab.remove('ui/jobs/b.yaml')
    await lab.clock.advance(5000)
    await until(() => lab.jobs().every(({ job_name }) => job_name !== 'bubbling'), 'the card gone')
    await lab.stop()
    const before = lab.broker.published.filter(({ topic }) => topic.includes('/descriptors/')).length
    await lab.start()
    expect(lab.broker.published.filter(({ topic }) => topic.includes('/descriptors/'))).toHaveLength(before)
  })

  test('of packages are taken as long as those are installed, and give way to the ones below plugins/ui', async () => {
    const card = (name: string): string =>
      `display_name: ${name}\njob_name: bubbling\ndisplay: true\npublished_settings: []\n`
    lab.write('plugins/packages/%40lab%2Fair/node_modules/@lab/air/ui/jobs/a.yaml', card('Of the package'))
    lab.write('plugins/packages/%40lab%2Fair/node_modules/other/ui/jobs/b.yaml', card('Of what it depends on'))
    await lab.start()
    expect(lab.jobs().at(-1)).toMatchObject({ display_name: 'Of the package', job_name: 'bubbling' })
    lab.write('plugins/ui/jobs/z.yaml', card('My own'))
    await lab.clock.advance(5000)
    await until(() => lab.jobs().at(-1)?.display_name === 'My own', 'the card of the user')
    lab.remove('plugins/ui/jobs/z.yaml')
    lab.remove('plugins/packages/%40lab%2Fair')
    await lab.clock.advance(5000)
    await until(() => lab.jobs().every(({ job_name }) => job_name !== 'bubbling'), 'the card gone')
  })

  const setting = (more: string): string => `${JOB}  - {key: a, type: numeric, display: true, label: A${more}}\n`
  test.each([
    [
      'a key twice',
      () => lab.write('ui/jobs/x.yaml', `${setting('')}  - {key: a, type: json, display: false}\n`),
      'a stands twice',
    ],
    ['min above max', () => lab.write('ui/jobs/x.yaml', setting(', min: 2, max: 1')), 'min of a is 2'],
    ['no label', () => lab.write('ui/jobs/x.yaml', `${JOB}  - {key: a, type: json, display: true}\n`), 'no label'],
    ['an unknown key', () => lab.write('ui/jobs/x.yaml', setting(', colour: red')), 'colour'],
    ['a wrong type', () => lab.write('ui/jobs/x.yaml', setting(', min: "2"')), 'min'],
    ['a wrong kind', () => lab.write('ui/jobs/x.yaml', '[1, 2]'), 'type object'],
    ['no YAML', () => lab.write('ui/jobs/x.yaml', 'a: [secret'), 'no YAML'],
    ['too long', () => lab.write('ui/jobs/x.yaml', `# ${'x'.repeat(70_000)}`), '65536'],
    [
      'growing aliases',
      () => lab.write('ui/jobs/x.yaml', `a: &a [x, x, x, x, x, x, x, x, x]\n${aliases()}`),
      'ui/jobs/x.yaml',
    ],
    [
      'a select without options',
      () =>
        lab.write(
          'ui/automations/led/x.yaml',
          'display_name: X\nautomation_name: x\ndescription: y\nfields: [{key: a, default: 1, label: A, type: select}]\n',
        ),
      'no options',
    ],
    [
      'a link',
      () => {
        lab.write('elsewhere.yaml', `${JOB}  []\n`)
        lab.directory('ui/jobs')
        symlinkSync(join(lab.dot, 'elsewhere.yaml'), join(lab.dot, 'ui/jobs/x.yaml'))
      },
      'cannot be opened',
    ],
    [
      'a pipe',
      () => {
        lab.directory('ui/jobs')
        execFileSync('mkfifo', [join(lab.dot, 'ui/jobs/x.yaml')])
      },
      'it is no file',
    ],
  ])('with %s cost themselves, and are named in the log once', async (_, spoil, reason) => {
    spoil()
    lab.write('plugins/ui/jobs/good.yaml', `${JOB}  []\n`)
    await lab.start()
    await lab.clock.advance(20_000)
    expect(
      lab
        .jobs()
        .map(({ job_name }) => job_name)
        .slice(13),
    ).toEqual(['stirring_calibration', 'bubbling'])
    expect(lab.forms('led')).toHaveLength(2)
    const named = lab.logger.lines.map((line) => JSON.stringify(line)).filter((line) => line.includes('/x.yaml'))
    expect(named).toHaveLength(1)
    expect(named[0]).toContain(reason)
    expect(named[0]).not.toContain('secret')
  })

  test('of the bioreactor keep presentation alone: unknown keys go, limits and defaults are those of the unit', async () => {
    lab.write('unit_config.ini', '[bioreactor]\ninitial_volume_ml = 11.5\ninitial_alt_media_fraction = %(nope)s\n')
    const keys = ['current_volume_ml', 'alt_media_fraction', 'odd'].map(
      (key) => `  - {key: ${key}, type: numeric, display: true, label: L, min: 5, max: 6, default: 9}\n`,
    )
    lab.write(
      'plugins/ui/settings/b.yaml',
      `key: bioreactor\ndisplay_name: B\ndisplay: true\npublished_settings:\n${keys.join('')}`,
    )
    await lab.start()
    const [bioreactor] = lab.settings()
    expect(bioreactor?.published_settings.map((s) => [s.key, s.label, s.default, s.min, s.max])).toEqual([
      ['current_volume_ml', 'L', 11.5, 0, null],
      ['alt_media_fraction', 'L', 0, 0, 1],
    ])
  })
})

function aliases(): string {
  return 'bcdefghi'
    .split('')
    .map((name, n) => `${name}: &${name} [${`*${'abcdefghi'[n]}, `.repeat(9)}x]`)
    .join('\n')
}
