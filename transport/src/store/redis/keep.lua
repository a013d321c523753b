-- token, block, lease. Gives whether the block is the token's; one that is nobody's becomes it.
local name = key('numbers', ARGV[4])
local owner = redis.call('GET', name)
if owner and owner ~= ARGV[3] then
  return 0
end
redis.call('SET', name, ARGV[3], 'PX', ARGV[5])
return 1
