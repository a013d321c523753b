-- report, whether it is final (0 or 1), until when its id is kept then, the receipt as it is held, until when, most that are
-- held, ttl, and the forms of the id. Gives what is known: 'known', message, number, total, whether it is repeated, and the
-- reports by number; or 'held' and when something expires next; or 'unknown'.
local report, is_final, final_till, early, early_till, most, ttl = unpack(ARGV, 3)
forget_ids()

local function note(id, known_till)
  local part = redis.call('HMGET', key('id', id), 'message', 'number', 'total')
  local message, number = part[1], part[2]
  local total = tonumber(redis.call('HGET', key('message', message), 'total') or '0')
  if is_final == '1' and tonumber(final_till) < tonumber(known_till) then
    redis.call('HSET', key('id', id), 'until', final_till)
    redis.call('HSET', key('message', message), 'i:' .. id, final_till)
    redis.call('ZADD', IDS, final_till, id)
  end
  local place = 'r:' .. number
  local known = redis.call('HGET', key('message', message), place)
  -- What is final stays: it begins with a 1.
  if tonumber(number) <= total and not (known and known:sub(1, 1) == '1') then
    redis.call('HSET', key('message', message), place, is_final .. report)
  end
  local answer = { 'known', message, number, part[3], known == is_final .. report and '1' or '0' }
  for at = 1, total do
    local told = redis.call('HGET', key('message', message), 'r:' .. at)
    answer[#answer + 1] = told and told:sub(2) or ''
  end
  return answer
end

for at = 10, #ARGV do
  local till = redis.call('HGET', key('id', ARGV[at]), 'until')
  if till and tonumber(till) > now then
    return note(ARGV[at], till)
  end
end
if #ARGV < 10 or redis.call('ZCARD', EARLY) >= tonumber(most) then
  return { 'unknown' }
end
hold_early(early, { unpack(ARGV, 10) }, early_till, ttl)
return { 'held', next_expiry() }
