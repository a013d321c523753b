-- a receipt as it is held, and the first form of its id.
local early, form = ARGV[3], ARGV[4]
for _, number in ipairs(redis.call('ZRANGE', key('early-form', form or ''), 0, -1)) do
  if redis.call('GET', key('early', number)) == early then
    take_early(number)
    return
  end
end
