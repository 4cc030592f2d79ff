-- Takes the lease on conversations with waiting events, those that wait longest first.
--
-- keys    ready, leased, i:<member>, s:<member> (see prelude)
-- args    how many at most, milliseconds of the lease, events a claim carries at most
-- result  now, when to look again (or -1), then for each: member, token, session or nil, events

local most, lease, events = number(), number(), number()

local back = redis.call('ZRANGEBYSCORE', LEASED, '-inf', run_out(), 'LIMIT', 0, 1000)
for _, member in ipairs(back) do ready_again(member) end
flush()

local found = redis.call('ZPOPMIN', READY, most)
local result = { digits(now), '-1' }
for i = 1, #found, 2 do
  local member = found[i]
  local waiting = redis.call('LRANGE', of('i', member), 0, events - 1)
  if #waiting > 0 then
    local held = token(now + lease)
    add(LEASED, held, member)
    result[#result + 1] = member
    result[#result + 1] = digits(held)
    result[#result + 1] = redis.call('GET', of('s', member))
    result[#result + 1] = waiting
  end
end
if #result > 2 and redis.call('ZCARD', READY) > 0 then wake('i') end
finish()
local next = redis.call('ZRANGE', LEASED, 0, 0, 'WITHSCORES')
if next[2] then result[2] = digits(expires(tonumber(next[2]))) end
return result
