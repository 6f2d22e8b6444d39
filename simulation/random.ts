/** Repeatable chance: one seed, one sequence. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number
  /** Normal with mean 0 and standard deviation 1. */
  gaussian(): number
}

/** xoshiro128** (Blackman and Vigna 2018), its state filled by splitmix32 from an integer seed. */
export function createRandom(seed: number): Random {
  let mix = seed | 0
  const fill = (): number => {
    mix = (mix + 0x9e3779b9) | 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return z ^ (z >>> 15)
  }
  let [a, b, c, d] = [fill(), fill(), fill(), fill()]
  let spare = Number.NaN

  const next = (): number => {
    const five = Math.imul(b, 5)
    const result = Math.imul((five << 7) | (five >>> 25), 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return (result >>> 0) / 2 ** 32
  }

  // Box–Muller gives two values per pair of uniforms; the second waits for the next call.
  const gaussian = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare
      spare = Number.NaN
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()))
    const angle = 2 * Math.PI * next()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  return { next, gaussian }
}
