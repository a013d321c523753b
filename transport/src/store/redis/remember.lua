-- id, message, number, total, until, most ids, ttl. Gives what waits for the id.
local id, message, number, total, till, most, ttl = unpack(ARGV, 3)
forget_ids()
if not is_known(message) then
  redis.call('DEL', key('message', message))
  redis.call('HSET', key('message', message), 'total', total)
end
forget_id(id, message)
while redis.call('ZCARD', IDS) >= tonumber(most) do
  forget_id(redis.call('ZRANGE', IDS, 0, 0)[1], message)
end
redis.call('HSET', key('id', id), 'message', message, 'number', number, 'total', total, 'until', till)
redis.call('HSET', key('message', message), 'i:' .. id, till, 'a:' .. number, 1)
redis.call('ZADD', IDS, till, id)
keep(ttl, key('id', id), key('message', message), IDS)
local waited = {}
for _, number in ipairs(redis.call('ZRANGE', key('early-form', id), 0, -1)) do
  waited[#waited + 1] = redis.call('GET', key('early', number)) or nil
end
return waited
