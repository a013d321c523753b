-- message, status.
local message, status = ARGV[3], ARGV[4]
redis.call('ZREM', AGGREGATES, message)
if redis.call('EXISTS', key('message', message)) == 1 then
  redis.call('HSET', key('message', message), 'told', status)
  if not is_known(message) then
    redis.call('DEL', key('message', message))
  end
end
