/** The time of Redis, and names that are found sooner. */
export const clockLua = `
local call, pack, unpack_state, format = redis.call, cmsgpack.pack, cmsgpack.unpack, string.format
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local clock = redis.call('TIME')
local now = clock[1] * 1000 + floor(clock[2] / 1000)
`

/** Writes a meter of which so much beside its times is `state`. Redis takes numbers below 10^17 as they are. */
export function writing(state: string): string {
  return `
  lasts = max(lasts, blocked - time)
  if lasts > 0 then
    call('SET', key, pack(now, time, blocked, ${state}), 'PX', lasts)
  else
    call('DEL', key)
  end
`
}

/**
 * How the script begins: what it was asked, and how meters are read and written.
 *
 * ARGV[1] is JSON: `[rules, asks]`. An ask is the number of a rule, for one `take` of 1; or
 * `[count, request, …]`, where a request is `[rule, amount, action, id, extra, want]` as far as needed, and
 * `extra` the estimate of a `settle` or the stamp of a `refund`. KEYS has a key for each request.
 *
 * The script answers whole numbers in one text: of each ask how many were admitted, and of each of its
 * requests whether it was applied, what remains, the wait (-1: never), the time until it is as new, the
 * stamp (-1: nothing was taken) and, if it wants a lease, how much is leased for how long.
 *
 * What Redis keeps of a meter begins with the clock as last seen, the meter's own time and until when it is
 * blocked. That time begins with the clock's and then is the sum of its forward movements: the clock of
 * Redis may step back, not least when a replica takes over.
 */
export const beginLua = `
${clockLua}
local rules, asks = unpack(cjson.decode(ARGV[1]))

-- Left to itself, Lua writes large numbers with an exponent. The integers of printf are faster, and have less
-- than 53 bits on machines of 32.
local digits = format('%d', 2 ^ 52) == '4503599627370496' and '%d' or '%.0f'

local function whole(number)
  return format(digits, number)
end

local function read(key)
  local state = call('GET', key)
  if not state then return now, now, 0 end
  return unpack_state(state)
end

local function write(key, time, blocked, lasts, ...)
  ${writing('...')}
end
`
