-- Keeps dead letters of a copy. One that is there already is passed over.
--
-- keys    x:<number>, dead, x:<member>, k:<id>, counts (see prelude and dead.lua)
-- args    how many, then for each: its number, kind, place, member (or empty), ticket (or empty), reason, when,
--         attempts, body, window, lane
-- result  nothing

last = tonumber(redis.call('GET', KEYS[1]) or '0')
for _ = 1, number() do
  local id = arg()
  local letter = { k = arg(), p = arg(), c = arg(), t = arg(), r = arg(), a = arg(), n = arg(), b = arg(), w = arg(), l = arg() }
  local key = index('x:' .. id)
  if redis.call('EXISTS', key) == 0 then
    for name, value in pairs(letter) do
      if value ~= '' then redis.call('HSET', key, name, value) end
    end
    redis.call('ZADD', DEAD, id, id)
    if letter.c ~= '' then redis.call('SADD', of('x', letter.c), id) end
    if letter.t ~= '' then redis.call('HSET', index('k:' .. letter.t), 'x', id) end
    count('x:' .. letter.k, 1)
  end
  last = math.max(last, tonumber(id))
end
finish()
return false
