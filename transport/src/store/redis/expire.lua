-- most of each kind, until when what is given is held on, ttl of receipts, until when sets are held at most, ttl of sets.
-- Gives when something expires next, whether there may be more now, early receipts, and what was given up: each as its
-- number, its set's name and its segments.
local most, held_till, ttl, set_till, set_ttl = tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local function due(name)
  return redis.call('ZRANGEBYSCORE', name, '-inf', ARGV[2], 'LIMIT', 0, most)
end

forget_ids()
-- None is held for longer: the clock has gone back since.
for _, name in ipairs({ EARLY, GIVEN_UP }) do
  for _, number in ipairs(redis.call('ZRANGEBYSCORE', name, '(' .. held_till, '+inf', 'LIMIT', 0, most)) do
    redis.call('ZADD', name, held_till, number)
  end
end
for _, name in ipairs({ OPEN, FINISHED }) do
  for _, set in ipairs(redis.call('ZRANGEBYSCORE', name, '(' .. set_till, '+inf', 'LIMIT', 0, most)) do
    redis.call('ZADD', name, set_till, set)
    redis.call('HSET', key('set', set), 'until', set_till)
  end
end
local finished, open = due(FINISHED), due(OPEN)
for _, sets in ipairs({ finished, open }) do
  for _, set in ipairs(sets) do
    remove_set(set, set_ttl)
  end
end
local earlies, sets = {}, {}
local given_up, numbers = due(GIVEN_UP), due(EARLY)
-- Those of the same time in the order in which they came.
local function by_number(a, b)
  return tonumber(a) < tonumber(b)
end
table.sort(given_up, by_number)
table.sort(numbers, by_number)
for _, number in ipairs(given_up) do
  local name = key('given-up', number)
  local set = redis.call('HGET', name, 'set')
  if set then
    sets[#sets + 1] = { tonumber(number), set, segments(name) }
    redis.call('ZADD', GIVEN_UP, held_till, number)
    keep(set_ttl, key('given-ups'), name, GIVEN_UP)
  else
    redis.call('ZREM', GIVEN_UP, number)
  end
end
for _, number in ipairs(numbers) do
  local early = take_early(number)
  if early then
    hold_early(early, cjson.decode(early).forms, held_till, ttl)
    earlies[#earlies + 1] = early
  end
end
local more = #finished == most or #open == most or #given_up == most or #numbers == most
return { next_expiry(), more and '1' or '0', earlies, sets }
