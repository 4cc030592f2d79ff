-- How much waits.
--
-- keys    counts, heard, ready, leased, or: ow: ol:<channel>, dd: dl:<backend> (see prelude)
-- args    none
-- result  0, sessions, when the oldest event came (or -1), counts as a flat list, then for each channel and
--         backend with something waiting: its name in counts, parked, when the oldest was queued (or -1). The
--         oldest is looked for among the first 16 of each set.

local function oldest_of(sets, moment)
  local oldest
  for _, set in ipairs(sets) do
    for _, member in ipairs(redis.call('ZRANGE', set, 0, 15)) do
      local at = moment(member)
      if at and (not oldest or at < oldest) then oldest = at end
    end
  end
  return oldest and digits(oldest) or '-1'
end

local counts = redis.call('HGETALL', COUNTS)
local waiting = 0
local result = { '0', redis.call('ZCARD', HEARD), '-1', counts }
for i = 1, #counts, 2 do
  local name, n = counts[i], tonumber(counts[i + 1])
  if name == 'inbox' and n > 0 then
    local function arrived(member)
      local first = redis.call('LINDEX', of('i', member), 0)
      return first and arrival_of(first)
    end
    result[3] = oldest_of({ READY, LEASED }, arrived)
  elseif n > 0 and string.sub(name, 1, 2) == 'o:' then
    local channel = string.sub(name, 3)
    local parked, oldest = 0, '-1'
    for _, lane in ipairs(lanes(channel)) do
      local function queued(member)
        local first = redis.call('LINDEX', of('o' .. lane, member), 0)
        return first and tonumber(string.sub(first, 21, 33))
      end
      parked = parked + redis.call('ZCOUNT', out('ow', channel, lane), '+inf', '+inf')
      local first = oldest_of({ out('or', channel, lane), out('ow', channel, lane), out('ol', channel, lane) }, queued)
      if oldest == '-1' or (first ~= '-1' and tonumber(first) < tonumber(oldest)) then oldest = first end
    end
    result[#result + 1] = name
    result[#result + 1] = parked
    result[#result + 1] = oldest
  elseif n > 0 and string.sub(name, 1, 2) == 'd:' then
    local backend = string.sub(name, 3)
    local function queued(id)
      local at = redis.call('HGET', index('k:' .. id), 'q')
      return at and tonumber(at)
    end
    result[#result + 1] = name
    result[#result + 1] = 0
    result[#result + 1] = oldest_of({ index('dd:' .. backend), index('dl:' .. backend) }, queued)
  end
end
return result
