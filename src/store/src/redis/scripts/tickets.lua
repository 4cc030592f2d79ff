-- Lists tickets, newest first, without their history.
--
-- keys    tickets, or k:<member>; k:<id> (see dead.lua)
-- args    member or empty, delivery state or empty, before when (milliseconds or +inf) and which id (or empty),
--         how many at most
-- result  for each: id, its fields as a flat list

local member, state, before, before_id, most = arg(), arg(), arg(), arg(), number()
local set = TICKETS
if member ~= '' then set = of('k', member) end
local result, from, looked_at = {}, 0, 0
while #result < most * 2 and looked_at < 100000 do
  local found = redis.call('ZREVRANGEBYSCORE', set, before, '-inf', 'WITHSCORES', 'LIMIT', from, 256)
  if #found == 0 then break end
  for i = 1, #found, 2 do
    local id = found[i]
    looked_at = looked_at + 1
    local later = before_id ~= '' and tonumber(found[i + 1]) == tonumber(before) and id >= before_id
    if not later and #result < most * 2 then
      if state == '' or redis.call('HGET', index('k:' .. id), 'd') == state then
        result[#result + 1] = id
        result[#result + 1] = redis.call('HGETALL', index('k:' .. id))
      end
    end
  end
  from = from + 256
end
return result
