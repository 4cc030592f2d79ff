-- Keeps tickets of a copy. One that is there already is passed over.
--
-- keys    k: h:<id>, tickets, personal, k:<member>, dd:<backend>, counts (see prelude and dead.lua)
-- args    how many, then for each: id, code, title, member (or empty), backend (or empty), delivery state, made
--         at, body, 1 and the personal part or 0 and nothing, 1 and the reference or 0 and nothing, number of
--         lines of its history and those, 1 when its delivery waits, attempts, due at, queued at
-- result  nothing

for _ = 1, number() do
  local id, code, title, member, backend = arg(), arg(), arg(), arg(), arg()
  local state, at, body, has_personal, personal = arg(), arg(), arg(), arg() == '1', arg()
  local has_reference, reference, lines = arg() == '1', arg(), {}
  for i = 1, number() do lines[i] = arg() end
  local pending, attempts, due, queued_at = arg() == '1', arg(), number(), number()
  local key = index('k:' .. id)
  if redis.call('EXISTS', key) == 0 then
    redis.call('HSET', key, 'code', code, 'title', title, 'd', state, 'a', at, 'b', body)
    if member ~= '' then
      redis.call('HSET', key, 'c', member)
      redis.call('ZADD', of('k', member), at, id)
    end
    if has_personal then redis.call('HSET', key, 'p', personal) end
    if member ~= '' or has_personal then redis.call('ZADD', PERSONAL, at, id) end
    if backend ~= '' then redis.call('HSET', key, 'e', backend) end
    if has_reference then redis.call('HSET', key, 'f', reference) end
    redis.call('ZADD', TICKETS, at, id)
    for _, line in ipairs(lines) do redis.call('RPUSH', index('h:' .. id), line) end
    if pending then
      redis.call('HSET', key, 'n', attempts, 'u', digits(due), 'q', digits(queued_at))
      add(index('dd:' .. backend), due, id)
      count('d:' .. backend, 1)
    elseif backend ~= '' then
      redis.call('HSET', key, 'n', '0', 'u', at, 'q', at)
    end
  end
end
finish()
return false
