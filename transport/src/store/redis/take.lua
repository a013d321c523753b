-- token, first block to try, blocks, lease. Gives the block, or -1.
local token, first, blocks, lease = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
for tried = 0, blocks - 1 do
  local block = (first + tried) % blocks
  if redis.call('SET', key('numbers', block), token, 'NX', 'PX', lease) then
    return block
  end
end
return -1
