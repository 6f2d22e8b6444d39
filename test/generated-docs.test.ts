import { expect, it } from 'vitest'
import { renderSettings } from '../cli/render-settings.js'
import { renderTopics } from '../cli/render-topics.js'

/** `vitest run -u` writes the pages anew. */
const page = (name: string): string => `${process.cwd()}/docs/${name}`

it('docs/settings.md is written from the settings', () =>
  expect(renderSettings()).toMatchFileSnapshot(page('settings.md')))

it('docs/topics.md is written from the declarations', () =>
  expect(renderTopics()).toMatchFileSnapshot(page('topics.md')))
