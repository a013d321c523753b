-- What the scripts share. ARGV[1] is the prefix of all keys, ARGV[2] is now. Times are microseconds since 1970; they are
-- compared as numbers and stored as they came, since Lua would round them when writing. Every key is made here and has an
-- end of its own, later than what the scripts see to, for what nobody sees to any more.
local prefix, now = ARGV[1], tonumber(ARGV[2])

local function key(kind, name)
  return prefix .. ':' .. kind .. (name and ':' .. name or '')
end

-- Ids that the SMSC gave. A message is there as long as one of its ids is.
local IDS = key('ids')

local function is_known(message)
  local fields = redis.call('HGETALL', key('message', message))
  for at = 1, #fields, 2 do
    if fields[at]:sub(1, 2) == 'i:' and tonumber(fields[at + 1]) > now then
      return true
    end
  end
  return false
end

-- The message that is `kept` is about to have another id.
local function forget_id(id, kept)
  local message = redis.call('HGET', key('id', id), 'message')
  redis.call('DEL', key('id', id))
  redis.call('ZREM', IDS, id)
  if message then
    redis.call('HDEL', key('message', message), 'i:' .. id)
    if message ~= kept and not is_known(message) then
      redis.call('DEL', key('message', message))
    end
  end
end

local function forget_ids()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', IDS, '-inf', ARGV[2], 'LIMIT', 0, 100)) do
    forget_id(id)
  end
end

local function keep(ttl, ...)
  for _, name in ipairs({ ... }) do
    redis.call('PEXPIRE', name, ttl)
  end
end

-- Receipts that came before their ids.
local EARLY = key('early')

local function hold_early(early, forms, till, ttl)
  local number = redis.call('INCR', key('earlies'))
  redis.call('SET', key('early', number), early)
  redis.call('ZADD', EARLY, till, number)
  keep(ttl, key('earlies'), key('early', number), EARLY)
  for _, form in ipairs(forms) do
    redis.call('ZADD', key('early-form', form), number, number)
    keep(ttl, key('early-form', form))
  end
end

local function take_early(number)
  local early = redis.call('GET', key('early', number))
  redis.call('DEL', key('early', number))
  redis.call('ZREM', EARLY, number)
  if early then
    for _, form in ipairs(cjson.decode(early).forms) do
      redis.call('ZREM', key('early-form', form), number)
    end
  end
  return early
end

-- Sets of parts: OPEN are those not published, FINISHED those that are, SIZES how many octets of each are held.
local OPEN, FINISHED, SIZES, OCTETS = key('open'), key('finished'), key('sizes'), key('octets')

local function held(set, octets)
  redis.call('HINCRBY', SIZES, set, octets)
  redis.call('INCRBY', OCTETS, octets)
end

-- Nothing of the set is held any more.
local function let_go(set)
  redis.call('DECRBY', OCTETS, redis.call('HGET', SIZES, set) or '0')
  redis.call('HDEL', SIZES, set)
end

-- Numbers and contents of what is held under this name, one after the other, in order of number.
local function segments(name)
  local fields, found = redis.call('HGETALL', name), {}
  for at = 1, #fields, 2 do
    if fields[at]:sub(1, 2) == 's:' then
      found[#found + 1] = { tonumber(fields[at]:sub(3)), fields[at + 1] }
    end
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  local flat = {}
  for _, segment in ipairs(found) do
    flat[#flat + 1] = tostring(segment[1])
    flat[#flat + 1] = segment[2]
  end
  return flat
end

-- What was given up, by number and from when on it is given to somebody.
local GIVEN_UP = key('given-up')

-- Drops a set. If it was there and not published it is given up, to be given to somebody from now on.
local function remove_set(set, ttl)
  local name = key('set', set)
  if redis.call('HGET', name, 'published') == '0' then
    local number = redis.call('INCR', key('given-ups'))
    local given_up = key('given-up', number)
    redis.call('RENAME', name, given_up)
    redis.call('HSET', given_up, 'set', set)
    redis.call('ZADD', GIVEN_UP, ARGV[2], number)
    keep(ttl, key('given-ups'), given_up, GIVEN_UP)
  else
    redis.call('DEL', name)
  end
  redis.call('ZREM', OPEN, set)
  redis.call('ZREM', FINISHED, set)
  let_go(set)
end

-- When something expires next; empty if nothing does.
local function next_expiry()
  local first
  for _, name in ipairs({ EARLY, OPEN, FINISHED, GIVEN_UP }) do
    local score = redis.call('ZRANGE', name, 0, 0, 'WITHSCORES')[2]
    if score and (not first or tonumber(score) < tonumber(first)) then
      first = score
    end
  end
  return first or ''
end
