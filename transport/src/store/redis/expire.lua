-- most of each kind, until when receipts are held on whose ids came, ttl, until when sets are held at most. Gives when
-- something expires next, whether there may be more now, early receipts, and sets: each as its name and its segments.
local most, held_till, ttl, set_till = tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]

local function due(name)
  return redis.call('ZRANGEBYSCORE', name, '-inf', ARGV[2], 'LIMIT', 0, most)
end

local function is_any_known(forms)
  for _, form in ipairs(forms) do
    local till = redis.call('HGET', key('id', form), 'until')
    if till and tonumber(till) > now then
      return true
    end
  end
  return false
end

forget_ids()
-- None is held for longer: the clock has gone back since.
for _, number in ipairs(redis.call('ZRANGEBYSCORE', EARLY, '(' .. held_till, '+inf', 'LIMIT', 0, most)) do
  redis.call('ZADD', EARLY, held_till, number)
end
for _, name in ipairs({ OPEN, FINISHED }) do
  for _, set in ipairs(redis.call('ZRANGEBYSCORE', name, '(' .. set_till, '+inf', 'LIMIT', 0, most)) do
    redis.call('ZADD', name, set_till, set)
    redis.call('HSET', key('set', set), 'until', set_till)
  end
end
local finished, open, numbers = due(FINISHED), due(OPEN), due(EARLY)
local sets, earlies = {}, {}
for _, set in ipairs(finished) do
  remove_set(set)
end
for _, set in ipairs(open) do
  local left = remove_set(set)
  if left then
    sets[#sets + 1] = { set, left }
  end
end
-- Those of the same time in the order in which they came.
table.sort(numbers, function(a, b) return tonumber(a) < tonumber(b) end)
for _, number in ipairs(numbers) do
  local early = take_early(number)
  if early then
    local forms = cjson.decode(early).forms
    if is_any_known(forms) then
      hold_early(early, forms, held_till, ttl)
    end
    earlies[#earlies + 1] = early
  end
end
local more = #finished == most or #open == most or #numbers == most
return { next_expiry(), more and '1' or '0', earlies, sets }
