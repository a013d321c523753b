-- a receipt as it is held, the first form of its id, the receipt as it is to be held, and ttl. Gives whether the message of that is
-- known; 0 where the first is not held.
local early, form, other, ttl = unpack(ARGV, 3)
forget_ids()
for _, number in ipairs(redis.call('ZRANGE', key('early-form', form), 0, -1)) do
  if redis.call('GET', key('early', number)) == early then
    local till = redis.call('ZSCORE', EARLY, number)
    take_early(number)
    hold_early(number, other, till, ttl)
    local read = cjson.decode(other)
    return find(read.forms, read.guesses or {}, read.addresses or {}) and 1 or 0
  end
end
return 0
