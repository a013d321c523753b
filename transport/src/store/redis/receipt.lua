-- report, whether it is final (0 or 1), until when its id is kept then, the receipt as it is held, until when, most that are
-- held, ttl, when the report of all parts is due at the latest (empty: each part is reported by itself), until when what is
-- given is held on, ttl of that, how many addresses, the addresses, and how many forms are sure, the sure forms, the guesses.
-- Gives what is known: 'known', form, message, number, total, address, whether it is unreported, whether it is repeated, what
-- follows, and the reports by number; after 'aggregate' the numbers without a report, joined by commas, come before them; or
-- 'held' and when something expires next; or 'full'; or 'unknown'.
local report, is_final, final_till, early, early_till, most, ttl, due_till, held_till, due_ttl = unpack(ARGV, 3)
local addresses, sure, guesses = {}, {}, {}
do
  local at = 14
  for _ = 1, tonumber(ARGV[13]) do
    addresses[#addresses + 1] = ARGV[at]
    at = at + 1
  end
  local last = at + tonumber(ARGV[at])
  for place = at + 1, #ARGV do
    local list = place <= last and sure or guesses
    list[#list + 1] = ARGV[place]
  end
end
forget_ids()

local function note_part(name, number, is_final, report)
  local place = 'r:' .. number
  local known = redis.call('HGET', name, place)
  local total = tonumber(redis.call('HGET', name, 'total') or '0')
  -- A final state stays.
  if tonumber(number) <= total and not (known and known:sub(1, 1) == '1') then
    redis.call('HSET', name, place, is_final .. report)
  end
  return known
end

-- Notes a report for the parts that have an id. Gives the report of the first before.
local function note_parts(id, is_final, report)
  local part = redis.call('HMGET', key('id', id), 'message', 'number', 'others')
  local name = key('message', part[1])
  for other in (part[3] or ''):gmatch('%d+') do
    note_part(name, other, is_final, report)
  end
  return note_part(name, part[2], is_final, report)
end

-- The report of a held receipt as it was written, since Lua would write it in another way. It is the last field.
local function report_in(held)
  local _, before = held:find(',"report":', 1, true)
  return held:sub(before + 1, -2)
end

-- As `note_held_before` of the other stores.
local function note_held_before(id)
  local numbers = redis.call('ZRANGE', key('early-form', id), 0, -1)
  if #numbers == 0 then
    return
  end
  local this, said_here = cjson.decode(early).id, said(is_final .. report)
  for _, number in ipairs(numbers) do
    local kept = redis.call('GET', key('early', number))
    if kept then
      local held = cjson.decode(kept)
      local held_final = held.report.is_final and '1' or '0'
      local said_there = held_final .. ' ' .. held.report.status .. ' ' .. held.report.smpp_status
      if held.id == this and said_there == said_here then
        return
      end
      if held.report.is_final and find(held.forms, held.guesses or {}, held.addresses or {}) == id then
        note_parts(id, '1', report_in(kept))
      end
    end
  end
end

local function next_of_parts(message, is_late)
  local status = cjson.decode(report).status
  local told = redis.call('HGET', key('message', message), 'told')
  if told then
    return (status == told or (told == 'failed' and is_final == '1')) and 'nothing' or 'late'
  end
  local has_failed, is_complete, has_final, _, _, is_accepted = parts_of(message)
  local due = redis.call('ZSCORE', AGGREGATES, message)
  if has_failed or is_complete then
    -- The acceptance of its last part makes the report due.
    if not is_accepted then
      return 'nothing'
    end
    if due and tonumber(due) > now and redis.call('HGET', key('message', message), 'given') == '1' then
      return 'nothing'
    end
    set_due(message, held_till, 1, due_ttl)
    return 'aggregate'
  end
  if is_late then
    return 'late'
  end
  if is_final == '1' and not due then
    set_due(message, due_till, 0, due_ttl)
  end
  return has_final and 'nothing' or 'report'
end

local function note(id)
  local part = redis.call('HMGET', key('id', id), 'message', 'number', 'total', 'to', 'unreported')
  local message, number = part[1], part[2]
  local name = key('message', message)
  if is_final == '1' and tonumber(final_till) < tonumber(known_till(id)) then
    redis.call('HSET', key('id', id), 'until', final_till)
    redis.call('HSET', name, 'i:' .. id, final_till)
    redis.call('ZADD', IDS, final_till, id)
  end
  local known = note_parts(id, is_final, report)
  local is_repeated = known and said(known) == said(is_final .. report)
  local is_late = known and known:sub(1, 1) == '1' and not is_repeated
  local follows = is_late and 'late' or 'report'
  if due_till ~= '' and tonumber(part[3]) > 1 then
    follows = next_of_parts(message, is_late)
  end
  local _, _, _, reports, unreported = parts_of(message)
  local answer = { 'known', id, message, number, part[3], part[4] or '', part[5] or '0', is_repeated and '1' or '0',
    follows, table.concat(unreported, ','), redis.call('ZSCORE', AGGREGATES, message) and next_expiry() or '' }
  for _, each in ipairs(reports) do
    answer[#answer + 1] = each
  end
  return answer
end

local form = find(sure, guesses, addresses)
if form then
  note_held_before(form)
  return note(form)
end
if #sure == 0 or tonumber(most) == 0 then
  return { 'unknown' }
end
if redis.call('ZCARD', EARLY) >= tonumber(most) then
  return { 'full' }
end
hold_early(redis.call('INCR', key('earlies')), early, early_till, ttl)
return { 'held', next_expiry() }
