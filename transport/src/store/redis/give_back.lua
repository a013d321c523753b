-- token, block.
local name = key('numbers', ARGV[4])
if redis.call('GET', name) == ARGV[3] then
  redis.call('DEL', name)
end
return 1
