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

-- Messages in parts by when their report is due.
local AGGREGATES = key('aggregates')

-- The message that is `kept` is about to have another id.
local function forget_id(id, kept)
  local message = redis.call('HGET', key('id', id), 'message')
  redis.call('DEL', key('id', id))
  redis.call('ZREM', IDS, id)
  if message then
    redis.call('HDEL', key('message', message), 'i:' .. id)
    if message ~= kept and not is_known(message) and not redis.call('ZSCORE', AGGREGATES, message) then
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

local function all_forms(early)
  local read, forms = cjson.decode(early), {}
  for _, list in ipairs({ read.forms, read.guesses or {} }) do
    for _, form in ipairs(list) do
      forms[#forms + 1] = form
    end
  end
  return forms
end

local function hold_early(number, early, till, ttl)
  redis.call('SET', key('early', number), early)
  redis.call('ZADD', EARLY, till, number)
  keep(ttl, key('earlies'), key('early', number), EARLY)
  for _, form in ipairs(all_forms(early)) do
    redis.call('ZADD', key('early-form', form), number, number)
    keep(ttl, key('early-form', form))
  end
end

local function take_early(number)
  local early = redis.call('GET', key('early', number))
  redis.call('DEL', key('early', number))
  redis.call('ZREM', EARLY, number)
  if early then
    for _, form in ipairs(all_forms(early)) do
      redis.call('ZREM', key('early-form', form), number)
    end
  end
  return early
end

-- The time until which an id is known; nothing for an id that is not.
local function known_till(id)
  local till = redis.call('HGET', key('id', id), 'until')
  return till and tonumber(till) > now and till
end

-- As `is_confirmed` of the other stores.
local function is_of_address(id, addresses)
  local to = redis.call('HGET', key('id', id), 'to') or ''
  for _, address in ipairs(addresses) do
    if to ~= '' and address ~= '' then
      local short, long = to, address
      if #address < #to then
        short, long = address, to
      end
      if short == long or (#short >= 6 and long:sub(-#short) == short) then
        return true
      end
    end
  end
  return false
end

local function find(sure, guesses, addresses)
  for _, list in ipairs({ sure, guesses }) do
    for _, form in ipairs(list) do
      if known_till(form) and is_of_address(form, addresses) then
        return form
      end
    end
  end
  for _, form in ipairs(sure) do
    if known_till(form) then
      return form
    end
  end
end

-- Status, word and finality of a report as it is kept: 0 or 1 for final, then JSON.
local function said(kept)
  local report = cjson.decode(kept:sub(2))
  return kept:sub(1, 1) .. ' ' .. report.status .. ' ' .. report.smpp_status
end

-- State of all parts of a message: whether one has failed, whether all are done, whether any is final, the reports by number,
-- empty where there is none, the numbers of those that can have none, and whether all parts are accepted.
local function parts_of(message)
  local name = key('message', message)
  local total = tonumber(redis.call('HGET', name, 'total') or '0')
  local has_failed, is_complete, has_final, reports, unreported = false, total > 0, false, {}, {}
  local is_accepted = true
  for at = 1, total do
    local kept = redis.call('HGET', name, 'r:' .. at)
    local is_unreported = redis.call('HEXISTS', name, 'u:' .. at) == 1
    reports[at] = kept and kept:sub(2) or ''
    if is_unreported then
      unreported[#unreported + 1] = tostring(at)
    end
    local is_final = kept and kept:sub(1, 1) == '1'
    if is_final then
      has_final = true
      has_failed = has_failed or cjson.decode(kept:sub(2)).status ~= 'delivered'
    end
    if redis.call('HEXISTS', name, 'a:' .. at) == 0 then
      is_accepted = false
    end
    if not (is_final or is_unreported) then
      is_complete = false
    end
  end
  return has_failed, is_complete and is_accepted, has_final, reports, unreported, is_accepted
end

local function set_due(message, at, is_given, ttl)
  redis.call('ZADD', AGGREGATES, at, message)
  redis.call('HSET', key('message', message), 'given', is_given)
  keep(ttl, AGGREGATES, key('message', message))
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
  for _, name in ipairs({ EARLY, AGGREGATES, OPEN, FINISHED, GIVEN_UP }) do
    local score = redis.call('ZRANGE', name, 0, 0, 'WITHSCORES')[2]
    if score and (not first or tonumber(score) < tonumber(first)) then
      first = score
    end
  end
  return first or ''
end
