-- Says what became of claimed deliveries. A lost lease is passed over.
--
-- keys    dd: dl:<backend>, k: h:<id>, those of dead letters (see dead.lua)
-- args    number, then for each: id, token, when, result (D delivered, R retry, B bury, U given back), 1 when
--         the next is meant, reference or reason, when it is due (R)
-- result  nothing

local function settle(id, held, at, result, has, text, due)
  local key = index('k:' .. id)
  local found = redis.call('HMGET', key, 'e', 'n', 'c', 'u')
  local backend = found[1]
  if not backend or not holds(index('dl:' .. backend), id, held) then return end
  redis.call('ZREM', index('dl:' .. backend), id)
  local waiting, detail = index('dd:' .. backend), nil
  if has == '1' then detail = text end
  if result == 'U' then
    add(waiting, tonumber(found[4]), id, 'd:' .. backend)
  elseif result == 'R' then
    redis.call('HSET', key, 'n', digits(tonumber(found[2]) + 1), 'u', due)
    add(waiting, tonumber(due), id, 'd:' .. backend)
    note(id, at, 'retry', detail)
  elseif result == 'D' then
    redis.call('HSET', key, 'd', '2')
    if detail then redis.call('HSET', key, 'f', detail) else redis.call('HDEL', key, 'f') end
    note(id, at, 'delivered', detail)
    count('d:' .. backend, -1)
  else
    local letter = bury({ k = 'd', p = backend, c = found[3], t = id, r = text, a = digits(at),
      n = digits(tonumber(found[2]) + 1) })
    redis.call('HSET', key, 'd', '3', 'x', letter)
    note(id, at, 'dead', detail)
    count('d:' .. backend, -1)
  end
end

for _ = 1, number() do
  local id, held, at, result, has, text, due = arg(), arg(), number(), arg(), arg(), arg(), arg()
  settle(id, held, at, result, has, text, due)
end
finish()
return false
