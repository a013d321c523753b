-- most of each kind, until when what is given is held on, ttl of receipts, until when sets are held at most, ttl of sets,
-- until when reports of all parts wait at most, ttl of those. Gives when something expires next, whether there may be more
-- now, early receipts, what was given up, each as its number, its set's name and its segments, and messages whose report is
-- due, each as its id, whether it is incomplete, the numbers of its parts without a report, and the reports by number; and how
-- many messages wait for parts.
local most, held_till, ttl, set_till, set_ttl = tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local due_till, due_ttl = ARGV[8], ARGV[9]

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
for _, message in ipairs(redis.call('ZRANGEBYSCORE', AGGREGATES, '(' .. due_till, '+inf', 'LIMIT', 0, most)) do
  redis.call('ZADD', AGGREGATES, due_till, message)
end
local aggregates, due_messages = {}, due(AGGREGATES)
for _, message in ipairs(due_messages) do
  local has_failed, is_complete, has_final, reports, unreported, is_accepted = parts_of(message)
  -- A message that was not accepted as a whole has its nack, or goes on.
  if has_final and is_accepted then
    local is_incomplete = not (has_failed or is_complete)
    aggregates[#aggregates + 1] = { message, is_incomplete and '1' or '0', table.concat(unreported, ','), reports }
    set_due(message, held_till, 1, due_ttl)
  else
    redis.call('ZREM', AGGREGATES, message)
    if not is_known(message) then
      redis.call('DEL', key('message', message))
    end
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
  -- One that is held on is still the one that came first.
  local early = redis.call('GET', key('early', number))
  if early then
    hold_early(number, early, held_till, ttl)
    earlies[#earlies + 1] = early
  else
    redis.call('ZREM', EARLY, number)
  end
end
local more = #finished == most or #open == most or #given_up == most or #numbers == most
  or #due_messages == most
return { next_expiry(), more and '1' or '0', earlies, sets, aggregates, redis.call('ZCARD', OPEN) }
