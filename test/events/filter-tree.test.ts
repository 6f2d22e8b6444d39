import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileFilters, FilterTree } from '../../events/filter-tree.js'
import { matchesFilter } from '../../events/topic.js'

const level = fc.constantFrom('a', 'b', '', '$c')
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels.slice(1), '#'] : levels).join('/'))

test('a compiled set of filters matches what any of them matches', () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 8 }), fc.array(topic, { maxLength: 8 }), (filters, topics) => {
      const match = compileFilters(filters)
      for (const one of [...topics, ...topics]) {
        expect(match(one)).toBe(filters.some((wanted) => matchesFilter(wanted, one)))
      }
    }),
  )
})

test('a filter that was deleted matches no more, and its neighbours do', () => {
  fc.assert(
    fc.property(fc.uniqueArray(filter, { maxLength: 8 }), fc.nat(), fc.array(topic), (filters, cut, topics) => {
      const tree = new FilterTree<string>()
      for (const one of filters) tree.set(one, one)
      const kept = filters.slice(0, cut % (filters.length + 1))
      for (const one of filters.slice(kept.length)) tree.delete(one)
      tree.delete('never/there')
      for (const one of topics) {
        const expected = kept.filter((wanted) => matchesFilter(wanted, one))
        expect(tree.match(one).toSorted()).toEqual(expected.toSorted())
      }
    }),
  )
})

test('a filter of 60 000 levels, and 1000 filters, cost no more than their topics', () => {
  const deep = '+/'.repeat(30_000)
  const tree = new FilterTree<number>()
  tree.set(deep, 1)
  tree.set(`${deep}#`, 2)
  for (let i = 0; i < 1000; i++) tree.set(`a/${i}/+/#`, i)
  expect(tree.match('a/7/x/y')).toEqual([7])
  expect(tree.match('a/1000/x/y')).toEqual([])
  tree.delete(deep)
  tree.delete(`${deep}#`)
  expect(tree.get(deep)).toBeUndefined()
})
