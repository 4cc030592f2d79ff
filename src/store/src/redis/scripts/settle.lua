-- Says what became of claimed replies. A lost lease is passed over.
--
-- keys    counts, or: ow: ol:<channel>, o:<member> and those of the other lanes, those of dead letters (see prelude)
-- args    number, then for each: channel, member, token, result (S sent or dropped,
--         K sent and kept for a while, R retry, P park, B bury, U unsent: given back), when (R) or until when (K),
--         1 when the attempt counts (R), how many are kept (K), reason (B) or the record (K)
-- result  nothing

-- The lane in which the lease is held.
local function lane_of(channel, member, held)
  for _, lane in ipairs(lanes(channel)) do
    if holds(out('ol', channel, lane), member, held) then return lane end
  end
end

local function settle(channel, member, held, result, at, counts, reason)
  -- Who holds the lease holds it on the first reply, and nothing but its settlement takes that away.
  local lane = lane_of(channel, member, held)
  if not lane then return end
  local key, waiting = of('o' .. lane, member), out('ow', channel, lane)
  redis.call('ZREM', out('ol', channel, lane), member)
  if result == 'K' then
    local records = of('r', member)
    redis.call('RPUSH', records, reason)
    redis.call('LTRIM', records, -counts, -1)
    redis.call('PEXPIRE', records, digits(math.max(at - now, 1)))
  end
  if result == 'S' or result == 'K' or result == 'B' then
    local first = redis.call('LPOP', key)
    count_replies(channel, lane, -1)
    if result == 'B' then
      bury({ k = 'r', p = channel, c = member, r = reason, a = digits(now),
        n = digits(tonumber(string.sub(first, 17, 20)) + 1), b = reply_body(first), w = string.sub(first, 34, 46), l = lane })
    end
    sendable(member, channel, lane)
  elseif result == 'U' then
    sendable(member, channel, lane)
  elseif result == 'P' then
    redis.call('ZADD', waiting, '+inf', member)
  else
    if counts == 1 then
      local first = redis.call('LINDEX', key, 0)
      local attempts = math.min(tonumber(string.sub(first, 17, 20)) + 1, 9999)
      redis.call('LSET', key, 0, string.sub(first, 1, 16) .. string.format('%04.0f', attempts) .. string.sub(first, 21))
    end
    redis.call('ZADD', waiting, digits(at), member)
  end
end

for _ = 1, number() do
  local channel, member, held = arg(), arg(), arg()
  local result, at, counts, reason = arg(), number(), number(), arg()
  settle(channel, member, held, result, at, counts, reason)
end
finish()
return false
