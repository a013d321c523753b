-- message. Gives the numbers of its parts that have ids, in any order.
forget_ids()
local numbers = {}
if is_known(ARGV[3]) then
  for _, field in ipairs(redis.call('HKEYS', key('message', ARGV[3]))) do
    if field:sub(1, 2) == 'a:' then
      numbers[#numbers + 1] = tonumber(field:sub(3))
    end
  end
end
return numbers
