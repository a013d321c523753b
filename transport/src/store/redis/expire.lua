-- most of each kind. Gives when something expires next, whether there may be more now, early receipts, and sets: each as its
-- name and its segments.
local most = tonumber(ARGV[3])

local function due(name)
  return redis.call('ZRANGEBYSCORE', name, '-inf', ARGV[2], 'LIMIT', 0, most)
end

forget_ids()
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
  earlies[#earlies + 1] = take_early(number) or nil
end
local more = #finished == most or #open == most or #numbers == most
return { next_expiry(), more and '1' or '0', earlies, sets }
