-- Takes the lease on replies of a channel that are due, each the first of its conversation, oldest first.
--
-- keys    epochs, or: ow: ol:<channel>, o:<member> (see prelude)
-- args    channel, epoch of the owner, how many at most, milliseconds of the lease
-- result  now (-1 when a later owner was here), when to look again (or -1), then for each: member, token, reply

local channel, epoch, most, lease = arg(), arg(), number(), number()
local ready, waiting, leased = out('or', channel), out('ow', channel), out('ol', channel)

local newest = tonumber(redis.call('HGET', EPOCHS, channel) or '0')
if newest > tonumber(epoch) then return { '-1', '-1' } end
local back
if newest < tonumber(epoch) then
  redis.call('HSET', EPOCHS, channel, epoch)
  -- What an earlier owner was sending is taken from it.
  back = redis.call('ZRANGE', leased, 0, -1)
else
  back = redis.call('ZRANGEBYSCORE', leased, '-inf', run_out(), 'LIMIT', 0, 1000)
end
for _, member in ipairs(back) do
  redis.call('ZREM', leased, member)
  sendable(member, channel)
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', waiting, '-inf', digits(now), 'LIMIT', 0, 1000)) do
  redis.call('ZREM', waiting, member)
  sendable(member, channel)
end
flush()

local found = redis.call('ZPOPMIN', ready, most)
local result = { digits(now), '-1' }
for i = 1, #found, 2 do
  local member = found[i]
  local reply = redis.call('LINDEX', of('o', member), 0)
  if reply then
    local held = token(now + lease)
    add(leased, held, member)
    result[#result + 1] = member
    result[#result + 1] = digits(held)
    result[#result + 1] = reply
  end
end
finish()
if redis.call('ZCARD', ready) > 0 then
  result[2] = digits(now)
else
  local first = redis.call('ZRANGE', leased, 0, 0, 'WITHSCORES')
  local due = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  local next = math.huge
  if first[2] then next = expires(tonumber(first[2])) end
  if due[2] and tonumber(due[2]) < next then next = tonumber(due[2]) end
  if next < math.huge then result[2] = digits(next) end
end
return result
