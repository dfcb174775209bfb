import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Roster } from './roster.ts'

interface Guest {
  readonly id: number
}

const guests: readonly Guest[] = Array.from({ length: 8 }, (_, id) => ({ id }))

describe('Roster', () => {
  it('holds what a set of the same comings and goings holds', () => {
    const steps = fc.array(fc.nat(guests.length - 1), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (ids) => {
        const [roster, set] = [new Roster<Guest>(), new Set<Guest>()]
        for (const id of ids) {
          const guest = guests[id] as Guest
          if (set.has(guest)) {
            set.delete(guest)
            expect(roster.delete(guest)).toBe(true)
          } else {
            set.add(guest)
            roster.add(guest)
          }
          expect(roster.size).toBe(set.size)
          expect(new Set(roster)).toEqual(set)
        }
      }),
    )
  })

  it('says that nobody left who was never there', () => {
    const roster = new Roster<Guest>()
    roster.add({ id: 1 })
    expect(roster.delete({ id: 1 })).toBe(false)
    expect(roster.size).toBe(1)
  })
})
