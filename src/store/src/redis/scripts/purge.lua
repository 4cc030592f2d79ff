-- Removes a step of what is older than allowed.
--
-- keys    heard, late, s: i:<member>; contacts, c:<member>; dead, x:<number>; personal, k:<id> (see prelude and dead.lua)
-- args    what (s sessions, x dead letters, c contacts, k tickets), before when, how many at most
-- result  how many

local what, before, most = arg(), number(), number()
local gone = 0
if what == 's' then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', HEARD, '-inf', '(' .. digits(before), 'LIMIT', 0, most)) do
    -- One with a waiting event is about to be heard from.
    if redis.call('EXISTS', of('i', member)) == 0 then
      redis.call('DEL', of('s', member))
      forget_heard(member)
      gone = gone + 1
    end
  end
elseif what == 'x' then
  for _, id in ipairs(redis.call('ZRANGE', DEAD, 0, most - 1)) do
    local at = redis.call('HGET', index('x:' .. id), 'a')
    if at and tonumber(at) >= before then break end
    exhume(id)
    gone = gone + 1
  end
elseif what == 'c' then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', CONTACTS, '-inf', '(' .. digits(before), 'LIMIT', 0, most)) do
    redis.call('DEL', of('c', member))
    redis.call('ZREM', CONTACTS, member)
    gone = gone + 1
  end
else
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', PERSONAL, '-inf', '(' .. digits(before), 'LIMIT', 0, most)) do
    forget_person(id)
    gone = gone + 1
  end
end
finish()
return gone
