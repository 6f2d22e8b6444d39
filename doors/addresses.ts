/** The eight groups of an IPv6 address, without leading zeros; an IPv4 address in its last place counts as one group of them. */
export function ipv6Groups(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail === undefined) return groups
  const last = tail === '' ? [] : tail.split(':')
  return [...groups, ...Array<string>(Math.max(0, 8 - groups.length - last.length)).fill('0'), ...last]
}
