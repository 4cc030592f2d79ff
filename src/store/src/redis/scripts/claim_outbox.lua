-- Takes the lease on replies of a channel that are due, each the first of its conversation in its lane: answers,
-- then notices, then broadcasts, and in each lane oldest first.
--
-- keys    epochs, counts, or: ow: ol:<channel>, o:<member>, and those of the other lanes (see prelude)
-- args    channel, epoch of the owner, how many at most, milliseconds of the lease
-- result  now (-1 when a later owner was here), when to look again (or -1), then for each: member, token, lane,
--         reply

local channel, epoch, most, lease = arg(), arg(), number(), number()

local newest = tonumber(redis.call('HGET', EPOCHS, channel) or '0')
if newest > tonumber(epoch) then return { '-1', '-1' } end
local new_owner = newest < tonumber(epoch)
if new_owner then redis.call('HSET', EPOCHS, channel, epoch) end

local result = { digits(now), '-1' }
local left, next = most, math.huge

local function claim(lane)
  local ready, waiting, leased = out('or', channel, lane), out('ow', channel, lane), out('ol', channel, lane)
  local back
  if new_owner then
    -- What an earlier owner was sending is taken from it.
    back = redis.call('ZRANGE', leased, 0, -1)
  else
    back = redis.call('ZRANGEBYSCORE', leased, '-inf', run_out(), 'LIMIT', 0, 1000)
  end
  for _, member in ipairs(back) do
    redis.call('ZREM', leased, member)
    sendable(member, channel, lane)
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', waiting, '-inf', digits(now), 'LIMIT', 0, 1000)) do
    redis.call('ZREM', waiting, member)
    sendable(member, channel, lane)
  end
  flush()
  local found = {}
  if left > 0 then found = redis.call('ZPOPMIN', ready, left) end
  for i = 1, #found, 2 do
    local member = found[i]
    local reply = redis.call('LINDEX', of('o' .. lane, member), 0)
    if reply then
      local held = token(now + lease)
      add(leased, held, member)
      result[#result + 1] = member
      result[#result + 1] = digits(held)
      result[#result + 1] = lane
      result[#result + 1] = reply
      left = left - 1
    end
  end
  flush()
  if redis.call('ZCARD', ready) > 0 then
    next = now
  else
    local first = redis.call('ZRANGE', leased, 0, 0, 'WITHSCORES')
    local due = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
    if first[2] then next = math.min(next, expires(tonumber(first[2]))) end
    if due[2] then next = math.min(next, tonumber(due[2])) end
  end
end

for _, lane in ipairs(lanes(channel)) do claim(lane) end
finish()
if next < math.huge then result[2] = digits(next) end
return result
