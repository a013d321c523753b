-- set, total, ttl. Gives when something expires next, and how many messages wait for parts.
local set, total = ARGV[3], tonumber(ARGV[4])
local name = key('set', set)
local state = redis.call('HMGET', name, 'parts', 'published', 'until')
if state[1] and tonumber(state[1]) == total and state[2] == '0' then
  redis.call('HSET', name, 'published', '1')
  for number = 1, total do
    redis.call('HDEL', name, 's:' .. number)
  end
  let_go(set)
  redis.call('ZREM', OPEN, set)
  redis.call('ZADD', FINISHED, state[3], set)
  keep(tonumber(ARGV[5]), FINISHED)
end
return { next_expiry(), redis.call('ZCARD', OPEN) }
