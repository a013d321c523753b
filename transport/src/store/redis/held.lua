-- Gives the receipts that are held for their ids.
local found = {}
for _, number in ipairs(redis.call('ZRANGE', EARLY, 0, -1)) do
  found[#found + 1] = redis.call('GET', key('early', number)) or nil
end
return found
