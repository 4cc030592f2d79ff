-- Takes the lease on tickets that are due for a backend, unless it is disabled.
--
-- keys    off, dd: dl:<backend>, k:<id> (see dead.lua)
-- args    backend, how many at most, milliseconds of the lease
-- result  now, when to look again (or -1), then for each: id, token, {code, body, personal, attempts, made at}

local backend, most, lease = arg(), number(), number()
local waiting, leased = index('dd:' .. backend), index('dl:' .. backend)
local result = { digits(now), '-1' }
if redis.call('HEXISTS', OFF, backend) == 1 then return result end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', leased, '-inf', run_out(), 'LIMIT', 0, 1000)) do
  redis.call('ZREM', leased, id)
  redis.call('ZADD', waiting, redis.call('HGET', index('k:' .. id), 'u') or digits(now), id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', waiting, '-inf', digits(now), 'LIMIT', 0, most)) do
  local held = token(now + lease)
  redis.call('ZREM', waiting, id)
  add(leased, held, id)
  result[#result + 1] = id
  result[#result + 1] = digits(held)
  result[#result + 1] = redis.call('HMGET', index('k:' .. id), 'code', 'b', 'p', 'n', 'a')
end
finish()
local due = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
local first = redis.call('ZRANGE', leased, 0, 0, 'WITHSCORES')
local next = math.huge
if due[2] then next = tonumber(due[2]) end
if first[2] then next = math.min(next, expires(tonumber(first[2]))) end
if next < math.huge then result[2] = digits(next) end
return result
