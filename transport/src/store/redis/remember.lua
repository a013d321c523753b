-- id, message, number, total, until, most ids, ttl, address, whether it is unreported (0 or 1), when the report of all parts is due
-- at the latest (empty: each part is reported by itself). Gives when something expires next, and what waits for the id.
local id, message, number, total, till, most, ttl, to, unreported, due_till = unpack(ARGV, 3)
forget_ids()
if not is_known(message) and not redis.call('ZSCORE', AGGREGATES, message) then
  redis.call('DEL', key('message', message))
  redis.call('HSET', key('message', message), 'total', total)
end
-- Other parts of the same message may have the same id.
local others, before = {}, redis.call('HMGET', key('id', id), 'message', 'number', 'others')
if before[1] == message then
  for other in ((before[3] or '') .. ',' .. before[2]):gmatch('%d+') do
    if other ~= number then
      others[#others + 1] = other
    end
  end
end
forget_id(id, message)
while redis.call('ZCARD', IDS) >= tonumber(most) do
  forget_id(redis.call('ZRANGE', IDS, 0, 0)[1], message)
end
redis.call('HSET', key('id', id), 'message', message, 'number', number, 'total', total, 'until', till)
if to ~= '' then
  redis.call('HSET', key('id', id), 'to', to)
end
if #others > 0 then
  redis.call('HSET', key('id', id), 'others', table.concat(others, ','))
end
redis.call('HSET', key('message', message), 'i:' .. id, till, 'a:' .. number, 1)
-- What a receipt has said of an id counts for a part that is given the same id later.
for _, other in ipairs(others) do
  local said, own = unpack(redis.call('HMGET', key('message', message), 'r:' .. other, 'r:' .. number))
  if said and not (own and own:sub(1, 1) == '1') then
    redis.call('HSET', key('message', message), 'r:' .. number, said)
    break
  end
end
if unreported == '1' then
  redis.call('HSET', key('id', id), 'unreported', 1)
  redis.call('HSET', key('message', message), 'u:' .. number, 1)
end
redis.call('ZADD', IDS, till, id)
keep(ttl, key('id', id), key('message', message), IDS)
local is_given = redis.call('ZSCORE', AGGREGATES, message) and redis.call('HGET', key('message', message), 'given') == '1'
if tonumber(total) > 1 and due_till ~= '' and not is_given and not redis.call('HGET', key('message', message), 'told') then
  local has_failed, is_complete, has_final, _, _, is_accepted = parts_of(message)
  if (is_complete and has_final) or (has_failed and is_accepted) then
    -- This was the last acceptance that its report waited for.
    set_due(message, ARGV[2], 0, ttl)
  elseif has_final and is_accepted and not redis.call('ZSCORE', AGGREGATES, message) then
    -- Its time was over before all parts were accepted.
    set_due(message, due_till, 0, ttl)
  end
end
local waited = {}
for _, number in ipairs(redis.call('ZRANGE', key('early-form', id), 0, -1)) do
  waited[#waited + 1] = redis.call('GET', key('early', number)) or nil
end
return { next_expiry(), waited }
