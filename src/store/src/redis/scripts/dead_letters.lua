-- Lists dead letters, newest first.
--
-- keys    dead, x:<number>, k:<id> (see dead.lua)
-- args    kind or empty, the greatest number (or +inf), how many at most
-- result  for each: number, its fields as a flat list, its ticket's body or nil

local kind, greatest, most = arg(), arg(), number()
local result, from, looked_at = {}, 0, 0
while #result < most * 3 and looked_at < 100000 do
  local found = redis.call('ZREVRANGEBYSCORE', DEAD, greatest, '-inf', 'LIMIT', from, 256)
  if #found == 0 then break end
  for _, id in ipairs(found) do
    looked_at = looked_at + 1
    if #result < most * 3 then
      local key = index('x:' .. id)
      if kind == '' or redis.call('HGET', key, 'k') == kind then
        local ticket = redis.call('HGET', key, 't')
        result[#result + 1] = id
        result[#result + 1] = redis.call('HGETALL', key)
        result[#result + 1] = ticket and redis.call('HGET', index('k:' .. ticket), 'b')
      end
    end
  end
  from = from + 256
end
return result
