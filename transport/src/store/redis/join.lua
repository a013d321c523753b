-- set, total, number, content (three octets of charset, then the text), until, most sets, most octets, ttl, most that are
-- given up. Gives when something expires next, what became of the part, all segments of the complete message, and how many
-- messages wait for parts.
local set, total, number, content, till, sets_max, octets_max, ttl, given_up_max = unpack(ARGV, 3)
local name, print = key('set', set), redis.sha1hex(content)
local octets = #content - 3
total, octets_max = tonumber(total), tonumber(octets_max)

local function held_octets()
  return tonumber(redis.call('GET', OCTETS) or '0')
end

if redis.call('ZCARD', GIVEN_UP) >= tonumber(given_up_max) then
  return { next_expiry(), 'sets', {}, redis.call('ZCARD', OPEN) }
end
local deadline = redis.call('HGET', name, 'until')
local known = redis.call('HGET', name, 'p:' .. number)
if deadline and (tonumber(deadline) <= now or (known and known ~= print)) then
  remove_set(set, ttl)
  known = false
end

-- A copy of a part of a published message: when all parts come again it is told again.
local function again()
  if redis.call('HGET', name, 'published') ~= '1' or redis.call('HEXISTS', name, 's:' .. number) == 1 then
    return
  end
  if octets > octets_max - held_octets() then
    return
  end
  redis.call('HSET', name, 's:' .. number, content)
  held(set, octets)
  if #segments(name) == 2 * total then
    redis.call('HSET', name, 'published', '0')
    redis.call('ZREM', FINISHED, set)
    redis.call('ZADD', OPEN, redis.call('HGET', name, 'until'), set)
  end
end

local function hold()
  local parts = tonumber(redis.call('HGET', name, 'parts') or '0')
  if parts + 1 ~= total and held_octets() + octets > octets_max then
    return 'octets'
  end
  if parts == 0 then
    if redis.call('ZCARD', OPEN) + redis.call('ZCARD', FINISHED) >= tonumber(sets_max) then
      local oldest = redis.call('ZRANGE', FINISHED, 0, 0)[1]
      if not oldest then
        return 'sets'
      end
      remove_set(oldest, ttl)
      if redis.call('ZCARD', OPEN) + redis.call('ZCARD', FINISHED) >= tonumber(sets_max) then
        return 'sets'
      end
    end
  end
  redis.call('HSET', name, 'until', till, 'published', '0', 'parts', parts + 1)
  redis.call('HSET', name, 'p:' .. number, print, 's:' .. number, content)
  redis.call('ZADD', OPEN, till, set)
  held(set, octets)
end

local outcome
if known then
  again()
else
  outcome = hold()
end
local given = {}
if not outcome then
  local state = redis.call('HMGET', name, 'parts', 'published')
  if tonumber(state[1]) == total and state[2] == '0' then
    outcome, given = 'complete', segments(name)
  else
    outcome = known and 'duplicate' or 'waiting'
  end
end
keep(ttl, name, OPEN, FINISHED, SIZES, OCTETS)
return { next_expiry(), outcome, given, redis.call('ZCARD', OPEN) }
